import type { Checkpoint, Component } from "./checkpoint.ts";
import { downloadHint, openComponentTensors, readConfig } from "./componentFolder.ts";
import { type ConfigReader, createConfigReader } from "./configReader.ts";
import { damaged, quoted } from "./damaged.ts";
import type { ByteSource, Folder } from "./source.ts";
import { openTorchCheckpoint, readTorchTensor } from "./torchZip.ts";

/** Where the stages and the single files may lie inside the weights folder; the first that exists counts. */
const places = Object.freeze({
	oneStage: ["OneStage", "ckpts/OneStage"],
	secondStage: ["SecondStage", "ckpts/SecondStage"],
	dinov2: ["dinov2_vitl14_reg4_pretrain.pth", "dinov2/dinov2_vitl14_reg4_pretrain.pth"],
	promptEmbeds: ["", "SyncHuman/data/fixed_prompt_embeds_7view/", "fixed_prompt_embeds_7view/"],
});

const promptFiles = Object.freeze({ color: "clr_embeds.pt", normal: "normal_embeds.pt" });
const oneStageComponents: readonly string[] = ["image_encoder", "vae", "SyncHuman_2D3DCrossSpaceDiffusion", "sparse_structure_decoder"];

/** Class names of the configs that have the form {name, args}. */
const classNames: Partial<Record<Component, string>> = Object.freeze({
	sparse_structure_decoder: "SparseStructureDecoder",
	slat_flow_model: "SLatFlowModel",
	slat_decoder_gs: "SLatGaussianDecoder",
	slat_decoder_mesh: "SLatMeshDecoder",
});

/**
 * A folder in the layout of the official loader: OneStage/ (pipeline_config.json, one subfolder a component) and SecondStage/
 * (pipeline.json), both also below ckpts/; dinov2_vitl14_reg4_pretrain.pth, also below dinov2/; clr_embeds.pt and normal_embeds.pt,
 * also below [SyncHuman/data/]fixed_prompt_embeds_7view/. Files are opened when they are asked for, so one stage can be there
 * without the other; only a folder with neither is an error here.
 */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
	const stageFile = async (candidates: readonly string[], file: string): Promise<{ path: string; source: ByteSource } | undefined> => {
		for (const path of candidates) {
			const source = await folder.open(`${path}/${file}`);
			if (source !== undefined) return { path, source };
		}
		return undefined;
	};
	const first = await stageFile(places.oneStage, "pipeline_config.json");
	const second = await stageFile(places.secondStage, "pipeline.json");
	if (first === undefined && second === undefined) {
		const expected = `neither ${places.oneStage[0]}/pipeline_config.json nor ${places.secondStage[0]}/pipeline.json is there`;
		throw damaged(folder.name, `is not a SyncHuman checkpoint: ${expected}`, downloadHint);
	}
	const missing = (paths: readonly string[]) => {
		const others = paths.length > 1 ? ` (also looked for at ${paths.slice(1).join(", ")})` : "";
		return damaged(`${folder.name}/${paths[0]}`, `is missing${others}`, downloadHint);
	};
	const opened = async (paths: readonly string[]): Promise<ByteSource> => {
		for (const path of paths) {
			const source = await folder.open(path);
			if (source !== undefined) return source;
		}
		throw missing(paths);
	};
	const config = async (path: string) => readConfig(await opened([path]));

	const oneStage = async () => {
		if (first === undefined) throw missing(places.oneStage.map((path) => `${path}/pipeline_config.json`));
		return { path: first.path, reader: await readConfig(first.source) };
	};
	const secondStage = async () => {
		if (second === undefined) throw missing(places.secondStage.map((path) => `${path}/pipeline.json`));
		const reader = await readConfig(second.source);
		return { path: second.path, reader: reader.object("args") };
	};
	const subfolder = async (component: string): Promise<string> => {
		if (oneStageComponents.includes(component) || component === "feature_extractor") {
			const { path, reader } = await oneStage();
			return `${path}/${safePath(reader.object("metadata").object(component), "subdir")}`;
		}
		const { path, reader } = await secondStage();
		return `${path}/${safePath(reader.object("models"), component)}`;
	};

	return {
		name: folder.name,
		oneStage: async () => (await oneStage()).reader,
		secondStage: async () => (await secondStage()).reader,
		async engine() {
			const path = `${first?.path ?? places.oneStage[0]}/engine.json`;
			const source = await folder.open(path);
			return source === undefined ? createConfigReader(new Map(), `${folder.name}/${path}`) : readConfig(source);
		},
		featureExtractor: async () => config(`${await subfolder("feature_extractor")}/preprocessor_config.json`),
		async config(component) {
			const reader = await config(`${await subfolder(component)}/config.json`);
			const className = classNames[component];
			if (className === undefined) return reader;
			reader.string("name", { allowed: [className] });
			return reader.object("args");
		},
		async tensors(component) {
			if (component === "dinov2") return openTorchCheckpoint(await opened(places.dinov2));
			return openComponentTensors(folder, await subfolder(component));
		},
		promptEmbeds: async (views) => readTorchTensor(await opened(places.promptEmbeds.map((path) => path + promptFiles[views]))),
	};
}

/** A path that a config names: relative, and inside the folder of the config. */
function safePath(reader: ConfigReader, key: string): string {
	const path = reader.string(key);
	if (!/^[\w.-]+(?:\/[\w.-]+)*$/.test(path) || path.split("/").includes("..")) {
		throw reader.error(key, `must be a folder inside the checkpoint, got ${quoted(path)}`);
	}
	return path;
}

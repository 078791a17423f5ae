import { join } from "node:path";
import type { Component } from "../weights/checkpoint.ts";
import { type SyntheticSize, syntheticCheckpoint, syntheticConfigs } from "../weights/syntheticCheckpoint.ts";
import { declareComponent, type WeightedComponent, weightedComponents } from "./declareComponent.ts";
import {
	jsonFile,
	type SynthesizeOptions,
	type SyntheticFile,
	syntheticFile,
	writePromptEmbeds,
	writeSyntheticFile,
} from "./syntheticFile.ts";
import { checkFreeSpace, type FileContent, writeFiles } from "./writeFiles.ts";

/** Where the official loader looks for each network; configs stand beside. */
const folders: Readonly<Record<Component, string>> = Object.freeze({
	image_encoder: "OneStage/image_encoder",
	vae: "OneStage/vae",
	SyncHuman_2D3DCrossSpaceDiffusion: "OneStage/SyncHuman_2D3DCrossSpaceDiffusion",
	sparse_structure_decoder: "OneStage/sparse_structure_decoder",
	slat_flow_model: "SecondStage/ckpts/slat_flow",
	slat_decoder_gs: "SecondStage/ckpts/decoder_GS",
	slat_decoder_mesh: "SecondStage/ckpts/decoder_Mesh",
});

/** Networks that diffusers saves, under its own file name. */
const ofDiffusers: readonly Component[] = ["vae", "SyncHuman_2D3DCrossSpaceDiffusion"];

const dinov2Name = "dinov2_vitl14_reg4_pretrain";

/**
 * Writes a synthetic checkpoint as the official folders: both pipeline configs, a folder a network, engine.json, the DINOv2 .pth and
 * the two prompt embeddings. Tensor by tensor, so that no file is in memory as a whole; a file under its final name is complete.
 * Throws code "disk" (before anything is written where the disk has too little room), "aborted".
 */
export async function synthesize(size: SyntheticSize, folder: string, options: SynthesizeOptions = {}): Promise<void> {
	const files: SyntheticFile[] = [];
	for (const component of weightedComponents) files.push(await weightFileOf(size, component, options.signal));
	await checkFreeSpace(
		folder,
		files.reduce((sum, { byteLength }) => sum + byteLength, 0),
	);
	const configs = syntheticConfigs(size);
	const write = (place: string, name: string, content: FileContent) => writeFiles(join(folder, place), [[name, content]]);
	for (const [component, place] of Object.entries(folders))
		await write(place, "config.json", jsonFile(configs.components[component as Component]));
	await write("OneStage/feature_extractor", "preprocessor_config.json", jsonFile(configs.featureExtractor));
	if (Object.keys(configs.engine).length > 0) await write("OneStage", "engine.json", jsonFile(configs.engine));
	const checkpoint = syntheticCheckpoint(size);
	await writePromptEmbeds(folder, checkpoint);
	for (const file of files) await writeSyntheticFile(folder, file, options);
	// Last, because without them the folder is not taken for a checkpoint.
	await write("OneStage", "pipeline_config.json", jsonFile(configs.oneStage));
	await write("SecondStage", "pipeline.json", jsonFile(configs.secondStage));
}

async function weightFileOf(size: SyntheticSize, component: WeightedComponent, signal: AbortSignal | undefined): Promise<SyntheticFile> {
	const checkpoint = syntheticCheckpoint(size);
	const { declared } = await declareComponent(checkpoint, component, "f16");
	const place =
		component === "dinov2"
			? { folder: "", name: `${dinov2Name}.pth` }
			: {
					folder: folders[component],
					name: ofDiffusers.includes(component) ? "diffusion_pytorch_model.safetensors" : "model.safetensors",
				};
	return syntheticFile(place, await checkpoint.tensors(component), declared, signal);
}

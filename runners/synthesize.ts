import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { Component } from "../weights/checkpoint.ts";
import type { StoredTensor } from "../weights/source.ts";
import { checkedElementCount, storedElementBytes } from "../weights/storedTensor.ts";
import { type SyntheticSize, syntheticCheckpoint, syntheticConfigs } from "../weights/syntheticCheckpoint.ts";
import type { DeclaredTensor } from "../weights/weights.ts";
import { type TensorDescription, writeSafetensors } from "../weights/writeSafetensors.ts";
import { torchTensorBytes, writeTorchCheckpoint } from "../weights/writeTorchZip.ts";
import { declareComponent, type WeightedComponent, weightedComponents } from "./declareComponent.ts";
import { checkFreeSpace, type FileContent, writeFiles } from "./writeFiles.ts";

/** What `synthesize` tells and asks while it works. */
export interface SynthesizeOptions {
	readonly signal?: AbortSignal;
	/** Before each file of weights. */
	readonly onFile?: (path: string, byteLength: number) => void;
}

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

/** A file of weights: its place, and what is in it. */
interface WeightFile {
	readonly folder: string;
	readonly name: string;
	readonly tensors: readonly TensorDescription[];
	readonly bytesOf: (tensor: TensorDescription) => Promise<Uint8Array>;
	readonly byteLength: number;
}

/**
 * Writes a synthetic checkpoint as the official folders: both pipeline configs, a folder a network, engine.json, the DINOv2 .pth and
 * the two prompt embeddings. Tensor by tensor, so that no file is in memory as a whole; a file under its final name is complete.
 * Throws code "disk" (before anything is written where the disk has too little room), "aborted".
 */
export async function synthesize(size: SyntheticSize, folder: string, options: SynthesizeOptions = {}): Promise<void> {
	const files: WeightFile[] = [];
	for (const component of weightedComponents) files.push(await weightFileOf(size, component, options.signal));
	await checkFreeSpace(
		folder,
		files.reduce((sum, { byteLength }) => sum + byteLength, 0),
	);
	const configs = syntheticConfigs(size);
	const write = (place: string, name: string, content: FileContent) => writeFiles(join(folder, place), [[name, content]]);
	// Without a newline at the end, so that a file cut anywhere is not JSON.
	const json = (value: object) => new TextEncoder().encode(JSON.stringify(value, undefined, 2));
	for (const [component, place] of Object.entries(folders))
		await write(place, "config.json", json(configs.components[component as Component]));
	await write("OneStage/feature_extractor", "preprocessor_config.json", json(configs.featureExtractor));
	if (Object.keys(configs.engine).length > 0) await write("OneStage", "engine.json", json(configs.engine));
	const checkpoint = syntheticCheckpoint(size);
	for (const [views, name] of [
		["color", "clr_embeds"],
		["normal", "normal_embeds"],
	] as const) {
		await write("", `${name}.pt`, torchTensorBytes(name, await checkpoint.promptEmbeds(views)));
	}
	for (const { folder: place, name, tensors, bytesOf, byteLength } of files) {
		options.onFile?.(join(folder, place, name), byteLength);
		const isTorch = name.endsWith(".pth");
		await write(
			place,
			name,
			isTorch ? writeTorchCheckpoint(dinov2Name, tensors, bytesOf) : writeSafetensors(tensors, bytesOf, { format: "pt" }),
		);
	}
	// Last, because without them the folder is not taken for a checkpoint.
	await write("OneStage", "pipeline_config.json", json(configs.oneStage));
	await write("SecondStage", "pipeline.json", json(configs.secondStage));
}

async function weightFileOf(size: SyntheticSize, component: WeightedComponent, signal: AbortSignal | undefined): Promise<WeightFile> {
	const checkpoint = syntheticCheckpoint(size);
	const source = await checkpoint.tensors(component);
	const { declared } = await declareComponent(checkpoint, component, "f16");
	const read = ({ name, storedShape, compute }: DeclaredTensor): Promise<StoredTensor> | StoredTensor => {
		if (compute === undefined) return source.read(name, storedShape);
		const values = compute();
		return { dtype: "F32", shape: storedShape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
	};
	const byName = new Map(declared.map((tensor) => [tensor.name, tensor]));
	const tensors: TensorDescription[] = declared.map(({ name, storedShape, compute }) => ({
		name,
		dtype: compute === undefined ? "F16" : "F32",
		shape: storedShape,
	}));
	const byteLengthOf = ({ name, dtype, shape }: TensorDescription) =>
		checkedElementCount(shape, component, name) * storedElementBytes(dtype);
	return {
		...(component === "dinov2"
			? { folder: "", name: `${dinov2Name}.pth` }
			: {
					folder: folders[component],
					name: ofDiffusers.includes(component) ? "diffusion_pytorch_model.safetensors" : "model.safetensors",
				}),
		tensors,
		async bytesOf({ name, dtype }) {
			if (signal?.aborted) throw new SyncHumanError("aborted", "Writing the synthetic checkpoint was stopped.");
			const stored = await read(byName.get(name) as DeclaredTensor);
			if (stored.dtype !== dtype) throw new RangeError(`synthesize: ${component}/${name} is ${stored.dtype}, announced as ${dtype}`);
			return stored.bytes;
		},
		byteLength: tensors.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0),
	};
}

import { join } from "node:path";
import type { PshumanComponent } from "../weights/pshumanCheckpoint.ts";
import type { SyntheticSize } from "../weights/syntheticCheckpoint.ts";
import { syntheticPshuman, syntheticPshumanConfigs } from "../weights/syntheticPshuman.ts";
import { declarePshumanComponent, pshumanComponents } from "./openPshumanWeights.ts";
import {
	jsonFile,
	type SynthesizeOptions,
	type SyntheticFile,
	syntheticFile,
	writePromptEmbeds,
	writeSyntheticFile,
} from "./syntheticFile.ts";
import { checkFreeSpace, writeFiles } from "./writeFiles.ts";

/** Names of files of weights: transformers saves the first kind, diffusers the others. */
const nameOf = (component: PshumanComponent) =>
	component === "image_encoder" ? "model.safetensors" : "diffusion_pytorch_model.safetensors";

/**
 * Writes a synthetic PSHuman checkpoint in diffusers' layout, as `synchuman pshuman --weights DIR` reads it: a folder a network with its
 * config, the schedulers, the two prompt embeddings beside, model_index.json last. Tensor by tensor; a file under its final name is complete.
 * Throws code "disk" (before anything is written where the disk has too little room), "aborted".
 */
export async function synthesizePshuman(size: SyntheticSize, folder: string, options: SynthesizeOptions = {}): Promise<void> {
	const checkpoint = syntheticPshuman(size);
	const files: SyntheticFile[] = [];
	for (const component of pshumanComponents) {
		const { declared } = await declarePshumanComponent(checkpoint, component);
		const place = { folder: component, name: nameOf(component) };
		files.push(syntheticFile(place, await checkpoint.tensors(component), declared, options.signal));
	}
	const byteLength = files.reduce((sum, file) => sum + file.byteLength, 0);
	await checkFreeSpace(folder, byteLength);
	const { index, ...configs } = syntheticPshumanConfigs(size);
	const write = (place: string, name: string, content: Uint8Array) => writeFiles(join(folder, place), [[name, content]]);
	for (const component of pshumanComponents) await write(component, "config.json", jsonFile(configs[component]));
	for (const component of ["scheduler", "image_noising_scheduler"] as const) {
		await write(component, "scheduler_config.json", jsonFile(configs[component]));
	}
	await write("feature_extractor", "preprocessor_config.json", jsonFile(configs.feature_extractor));
	await writePromptEmbeds(folder, checkpoint);
	for (const file of files) await writeSyntheticFile(folder, file, options);
	// Last, because without it the folder is not taken for a checkpoint.
	await write("", "model_index.json", jsonFile(index));
}

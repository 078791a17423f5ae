import { downloadHint, openComponentTensors, readConfig, readJsonObject } from "./componentFolder.ts";
import type { ConfigReader } from "./configReader.ts";
import { damaged } from "./damaged.ts";
import type { Folder, StoredTensor, TensorSource } from "./source.ts";
import { readTorchTensor } from "./torchZip.ts";

/** Networks of a PSHuman checkpoint; of the text encoder nothing is read. */
export type PshumanComponent = "unet" | "vae" | "image_encoder" | "image_normalizer";

/** A scheduler's settings: its JSON, and what messages call the file. */
export interface SchedulerFile {
	readonly path: string;
	readonly json: Readonly<Record<string, unknown>>;
}

/**
 * What PSHuman's multi-view diffusion loads: a folder as diffusers writes it (`openPshumanCheckpoint`), or a synthetic one. Each method
 * rejects with code "checkpoint", naming the file that is expected and where.
 */
export interface PshumanCheckpoint {
	/** What messages call it: the folder, or "synthetic:tiny". */
	readonly name: string;
	/** Config of a network, or preprocessor_config.json of the feature extractor. */
	config(component: Exclude<PshumanComponent, "image_normalizer"> | "feature_extractor"): Promise<ConfigReader>;
	/** Weights of a network, named as in its state dict. */
	tensors(component: PshumanComponent): Promise<TensorSource>;
	/** scheduler/: the sampler; image_noising_scheduler/: what the picture's embedding is noised with. */
	scheduler(component: "scheduler" | "image_noising_scheduler"): Promise<SchedulerFile>;
	/** The fixed prompt embeddings of the colour or the normal views, [views, tokens, width]. */
	promptEmbeds(views: "color" | "normal"): Promise<StoredTensor>;
}

const promptPlaces: readonly string[] = ["", "fixed_prompt_embeds_7view/", "mvdiffusion/data/fixed_prompt_embeds_7view/"];
const promptFiles = Object.freeze({ color: "clr_embeds.pt", normal: "normal_embeds.pt" });
const promptHint =
	"They are in PSHuman's code repository, at mvdiffusion/data/fixed_prompt_embeds_7view: copy both beside model_index.json.";

/**
 * A folder in diffusers' layout (pengHTYX/PSHuman_Unclip_768_6views): model_index.json, one subfolder a component; beside it
 * normal_embeds.pt and clr_embeds.pt, also in fixed_prompt_embeds_7view/ or where the code repository has them. Files are opened when they
 * are asked for.
 */
export async function openPshumanCheckpoint(folder: Folder): Promise<PshumanCheckpoint> {
	const index = await folder.open("model_index.json");
	if (index === undefined) throw damaged(folder.name, "is not a PSHuman checkpoint: model_index.json is not there", downloadHint);
	const components = await readJsonObject(index);
	const opened = async (path: string) => {
		const source = await folder.open(path);
		if (source === undefined) throw damaged(`${folder.name}/${path}`, "is missing", downloadHint);
		return source;
	};
	return {
		name: folder.name,
		async config(component) {
			return readConfig(await opened(`${component}/${component === "feature_extractor" ? "preprocessor_config" : "config"}.json`));
		},
		tensors: (component) => openComponentTensors(folder, component),
		async scheduler(component) {
			const source = await opened(`${component}/scheduler_config.json`);
			const json = Object.fromEntries(await readJsonObject(source));
			// What upstream loads is the class that the index names, with the settings of the file.
			const named = components.get(component);
			const [, className] = Array.isArray(named) ? named : [];
			return { path: source.name, json: typeof className === "string" ? { ...json, _class_name: className } : json };
		},
		async promptEmbeds(views) {
			for (const place of promptPlaces) {
				const source = await folder.open(place + promptFiles[views]);
				if (source !== undefined) return readTorchTensor(source);
			}
			throw damaged(`${folder.name}/${promptFiles[views]}`, "is missing", promptHint);
		},
	};
}

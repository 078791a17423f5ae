import { readText } from "./byteSource.ts";
import { type ConfigReader, createConfigReader } from "./configReader.ts";
import { damaged } from "./damaged.ts";
import { openSafetensors, openShardedSafetensors } from "./safetensors.ts";
import type { ByteSource, Folder, TensorSource } from "./source.ts";
import { isJsonObject, type JsonObject, parseStrictJson } from "./strictJson.ts";

// Files of one network of a checkpoint, as diffusers and transformers write them.

const maxConfigBytes = 2 ** 20;

/** What to do about a file that a checkpoint lacks. */
export const downloadHint =
	"synchuman download gets the official weights (into ckpts); --weights synthetic:tiny tries the program without any.";

/** The JSON object of a config file. Throws code "checkpoint". */
export async function readJsonObject(source: ByteSource): Promise<JsonObject> {
	const json = parseStrictJson(await readText(source, maxConfigBytes), source.name);
	if (!isJsonObject(json)) throw damaged(source.name, "is not a JSON object");
	return json;
}

/** A config file, read key by key. Throws code "checkpoint". */
export async function readConfig(source: ByteSource): Promise<ConfigReader> {
	return createConfigReader(await readJsonObject(source), source.name);
}

/** Weights in the folder `path`: model or diffusion_pytorch_model, one file or several with an index. Throws code "checkpoint". */
export async function openComponentTensors(folder: Folder, path: string): Promise<TensorSource> {
	const names = [`${path}/diffusion_pytorch_model.safetensors`, `${path}/model.safetensors`];
	for (const name of names) {
		const single = await folder.open(name);
		if (single !== undefined) return openSafetensors(single);
		if ((await folder.open(`${name}.index.json`)) !== undefined) return openShardedSafetensors(folder, `${name}.index.json`);
	}
	const found = await folder.list(path);
	const shown = found.length === 0 ? "the folder is empty or missing" : `the folder holds ${found.slice(0, 5).join(", ")}`;
	throw damaged(`${folder.name}/${names[1]}`, `is missing, and so is ${names[0].slice(path.length + 1)} (${shown})`, downloadHint);
}

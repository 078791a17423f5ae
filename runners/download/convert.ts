import { createReadStream } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { SyncHumanError } from "../../engine/error.ts";
import { float32ToFloat16 } from "../../engine/gpu/float16.ts";
import { openCheckpoint } from "../../weights/checkpointFolder.ts";
import type { StoredTensor, TensorSource } from "../../weights/source.ts";
import { storedElementBytes, toFloat32 } from "../../weights/storedTensor.ts";
import { type TensorDescription, writeSafetensors } from "../../weights/writeSafetensors.ts";
import { writeTorchCheckpoint } from "../../weights/writeTorchZip.ts";
import { declareComponent, weightedComponents } from "../declareComponent.ts";
import { directoryFolder } from "../files.ts";
import { hashWeightsFolder } from "../weightFiles.ts";
import { weightsLockName } from "../weightsLock.ts";
import { checkFreeSpace, type FileContent, writeFiles } from "../writeFiles.ts";

/** A file of weights to write: what is in it, and where it comes from. */
interface Conversion {
	/** Inside the weights folder. */
	readonly name: string;
	readonly tensors: readonly TensorDescription[];
	readonly bytesOf: (tensor: TensorDescription) => Promise<Uint8Array>;
	readonly byteLength: number;
}

/**
 * Writes a copy of a weights folder in which every tensor that a run in f16 rounds to half precision is stored so: about half the disk, and
 * what --dtype f16 computes from it is the same, byte by byte. Norms, biases and whatever stays in f32 keep their type; configs, prompt
 * embeddings and other files are copied; the copy gets a lock. Throws code "checkpoint" where a weight does not fit half precision,
 * "input" where both folders are one, "disk".
 */
export async function convertWeights(
	from: string,
	to: string,
	options: { readonly signal: AbortSignal; readonly onFile: (path: string, byteLength: number) => void },
): Promise<void> {
	const inside = relative(resolve(from), resolve(to));
	if (inside === "" || (!inside.startsWith("..") && inside !== resolve(to))) {
		throw new SyncHumanError("input", `${to}: the copy must not lie in ${from}.`, "Give another folder.");
	}
	const folder = directoryFolder(from);
	const checkpoint = await openCheckpoint(folder);
	const conversions: Conversion[] = [];
	const sources = new Set<string>();
	for (const component of weightedComponents) {
		const source = await checkpoint.tensors(component);
		const weights = await declareComponent(checkpoint, component, "f16");
		weights.finish();
		const halved = new Set(weights.declared.filter(({ layout }) => layout.dtype === "f16").map(({ name }) => name));
		const conversion = conversionOf(source, placeInside(from, source.name), halved, options.signal);
		conversions.push(conversion);
		sources.add(conversion.name).add(placeInside(from, source.name));
	}
	const copied: string[] = [];
	const walk = async (path: string): Promise<void> => {
		for (const entry of await folder.list(path)) {
			const name = path === "" ? entry : `${path}/${entry}`;
			if ((await folder.open(name)) === undefined) await walk(name);
			else if (!isWeights(name, sources)) copied.push(name);
		}
	};
	await walk("");
	await checkFreeSpace(
		to,
		conversions.reduce((sum, { byteLength }) => sum + byteLength, 0),
	);
	const write = (name: string, content: FileContent) => writeFiles(join(to, dirname(name)), [[basename(name), content]]);
	for (const name of copied) await write(name, createReadStream(join(from, name)));
	for (const { name, tensors, bytesOf, byteLength } of conversions) {
		options.onFile(join(to, name), byteLength);
		const isTorch = /\.(pt|pth)$/.test(name);
		await write(
			name,
			isTorch
				? writeTorchCheckpoint(basename(name, extname(name)), tensors, bytesOf)
				: writeSafetensors(tensors, bytesOf, { format: "pt" }),
		);
	}
	const files = await hashWeightsFolder(to, [...copied, ...conversions.map(({ name }) => name)]);
	const lock = { converted: { from, to: "f16" }, files: Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1))) };
	await write(weightsLockName, new TextEncoder().encode(`${JSON.stringify(lock, undefined, 2)}\n`));
}

function placeInside(folder: string, path: string): string {
	return relative(resolve(folder), resolve(path)).split(sep).join("/");
}

/** Files that a conversion writes anew, or that hold the same tensors: shards, their index; and the old lock. */
function isWeights(name: string, sources: ReadonlySet<string>): boolean {
	if (sources.has(name) || name === weightsLockName || name.endsWith(".part")) return true;
	const [directory, file] = [dirname(name), basename(name)];
	return [...sources].some(
		(source) =>
			dirname(source) === directory &&
			(/\.safetensors(\.index\.json)?$/.test(file) || extname(source) === extname(file)) &&
			extname(file) !== ".pt",
	);
}

function conversionOf(source: TensorSource, place: string, halved: ReadonlySet<string>, signal: AbortSignal): Conversion {
	const name = place.replace(/\.index\.json$/, "");
	const tensors = [...(source.entries ?? [])].map(([tensor, { dtype, shape }]): TensorDescription => {
		const wide = dtype === "F32" || dtype === "BF16" || dtype === "F64";
		return { name: tensor, dtype: wide && halved.has(tensor) ? "F16" : dtype, shape };
	});
	return {
		name,
		tensors,
		byteLength: tensors.reduce(
			(sum, { dtype, shape }) => sum + shape.reduce((count, extent) => count * extent, storedElementBytes(dtype)),
			0,
		),
		async bytesOf({ name: tensor, dtype, shape }) {
			if (signal.aborted) throw new SyncHumanError("aborted", "The conversion was stopped.", "Run it again.");
			const stored = await source.read(tensor, shape);
			return stored.dtype === dtype ? stored.bytes : halfOf(stored, `${source.name}: ${tensor}`);
		},
	};
}

function halfOf(stored: StoredTensor, what: string): Uint8Array {
	const values = toFloat32(stored);
	const beyond = values.findIndex((value) => !(Math.abs(value) <= 65_504));
	if (beyond >= 0) {
		throw new SyncHumanError(
			"checkpoint",
			`${what}: value ${beyond} is ${values[beyond]}, beyond half precision.`,
			"Keep the original and run with --dtype f32.",
		);
	}
	return new Uint8Array(float32ToFloat16(values).buffer);
}

import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { Checkpoint } from "../weights/checkpoint.ts";
import type { StoredTensor, TensorSource } from "../weights/source.ts";
import { checkedElementCount, storedElementBytes } from "../weights/storedTensor.ts";
import type { DeclaredTensor } from "../weights/weights.ts";
import { type TensorDescription, writeSafetensors } from "../weights/writeSafetensors.ts";
import { torchTensorBytes, writeTorchCheckpoint } from "../weights/writeTorchZip.ts";
import { writeFiles } from "./writeFiles.ts";

/** What `synthesize` tells and asks while it works. */
export interface SynthesizeOptions {
	readonly signal?: AbortSignal;
	/** Before each file of weights. */
	readonly onFile?: (path: string, byteLength: number) => void;
}

/** A file of weights that is to be written: its place, and what is in it. */
export interface SyntheticFile {
	/** Below the checkpoint's folder. */
	readonly folder: string;
	/** Ends in .safetensors or .pth. */
	readonly name: string;
	readonly tensors: readonly TensorDescription[];
	readonly bytesOf: (tensor: TensorDescription) => Promise<Uint8Array>;
	readonly byteLength: number;
}

/** The file of one network: `declared` tensors as `source` makes them, F16, computed buffers F32. */
export function syntheticFile(
	{ folder, name: file }: Pick<SyntheticFile, "folder" | "name">,
	source: TensorSource,
	declared: readonly DeclaredTensor[],
	signal: AbortSignal | undefined,
): SyntheticFile {
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
		checkedElementCount(shape, source.name, name) * storedElementBytes(dtype);
	return {
		folder,
		name: file,
		tensors,
		async bytesOf({ name, dtype }) {
			if (signal?.aborted) throw new SyncHumanError("aborted", "Writing the synthetic checkpoint was stopped.");
			const stored = await read(byName.get(name) as DeclaredTensor);
			if (stored.dtype !== dtype) throw new RangeError(`synthesize: ${source.name}/${name} is ${stored.dtype}, announced as ${dtype}`);
			return stored.bytes;
		},
		byteLength: tensors.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0),
	};
}

/** Writes it tensor by tensor, under its final name once it is whole. Throws code "disk", "aborted". */
export async function writeSyntheticFile(
	root: string,
	{ folder, name, tensors, bytesOf, byteLength }: SyntheticFile,
	{ onFile }: SynthesizeOptions,
): Promise<void> {
	onFile?.(join(root, folder, name), byteLength);
	const chunks = name.endsWith(".pth")
		? writeTorchCheckpoint(name.slice(0, -".pth".length), tensors, bytesOf)
		: writeSafetensors(tensors, bytesOf, { format: "pt" });
	await writeFiles(join(root, folder), [[name, chunks]]);
}

/** Writes the two prompt embeddings, as both checkpoints have them beside their networks. Throws code "disk". */
export async function writePromptEmbeds(root: string, checkpoint: Pick<Checkpoint, "promptEmbeds">): Promise<void> {
	const files = { color: "clr_embeds", normal: "normal_embeds" } as const;
	for (const views of ["color", "normal"] as const) {
		const content = torchTensorBytes(files[views], await checkpoint.promptEmbeds(views));
		await writeFiles(root, [[`${files[views]}.pt`, content]]);
	}
}

/** A config file; without a newline at the end, so that a file cut anywhere is not JSON. */
export function jsonFile(value: object): Uint8Array {
	return new TextEncoder().encode(JSON.stringify(value, undefined, 2));
}

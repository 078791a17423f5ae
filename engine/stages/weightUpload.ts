import { readRangeInto } from "../../weights/byteSource.ts";
import type { PlacedWeight, WeightUpload } from "../../weights/loadWeights.ts";
import type { StoredPlace } from "../../weights/source.ts";
import type { Weights } from "../../weights/weights.ts";
import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { createTensor, type Tensor } from "../gpu/tensor.ts";
import { allocate, readUnsigned, release } from "../gpu/transfer.ts";
import { compileGraph } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { paramsStride } from "../graph/plan.ts";
import { arrangeWeight, type RawDType } from "../kernels/dense/arrangeWeight.ts";

// On an H200 machine with the file in the page cache: reading into mapped buffers and copying from there 20 to 27 GB/s (four to eight
// buffers of 16 or 64 MiB), queue.writeBuffer alone 2.8 GB/s, casting and rearranging in JavaScript 0.4 to 1.7 GB/s.

/** Bytes of a buffer that files are read into, and how many of them are filled at a time. */
const slotBytes = 16 << 20;
const slotCount = 4;
/** Bytes that are arranged in one submit, unless a single tensor has more. */
const batchBytes = 64 << 20;
/** Tensors begin at multiples of this in the raw buffer. */
const alignment = 16;

/** Tensors that lie in the raw buffer together. */
interface Batch {
	readonly weights: { readonly weight: PlacedWeight; readonly byteOffset: number }[];
	byteLength: number;
}

/** A range of the raw buffer that is read into one slot. */
interface Chunk {
	readonly batch: Batch;
	readonly start: number;
	readonly byteLength: number;
	readonly pieces: readonly Piece[];
}

/** A range of a stored tensor. */
interface Piece {
	readonly what: string;
	readonly place: StoredPlace;
	/** Of the tensor, of the slot. */
	readonly from: number;
	readonly at: number;
	readonly byteLength: number;
}

/** GPU bytes that loading these weights takes at most beside the weights themselves. */
export function uploadBytes(weights: Weights): number {
	const stored = weights.storedBytes.map(aligned);
	if (stored.length === 0) return 0;
	const total = stored.reduce((sum, bytes) => sum + bytes, 0);
	const raw = Math.max(Math.min(total, batchBytes), ...stored);
	return raw + slotSizes(total).reduce((sum, bytes) => sum + bytes, 0) + stored.length * paramsStride + 1024;
}

/**
 * Reads files into mapped buffers, several at a time, copies them to the GPU as they are, and has it cast and rearrange them. What is read is
 * submitted in the order of the batches, so that one raw buffer serves them all.
 */
export function uploadOnDevice(device: Device): WeightUpload {
	return {
		mostBytes: Math.min(device.report.limits.maxStorageBufferBindingSize, device.report.limits.maxBufferSize),
		async run(weights, { onDone, signal }) {
			const batches = batchesOf(weights);
			const chunks = batches.flatMap(chunksOf);
			const most = Math.max(...batches.map(({ byteLength }) => byteLength));
			const total = batches.reduce((sum, { byteLength }) => sum + byteLength, 0);
			const raw = createTensor("stored weights", "u32", [most / 4], "resident");
			const flags = createTensor("flags of weights", "u32", [1], "resident");
			const slots: GPUBuffer[] = [];
			try {
				await device.guarded("buffers for reading weights", () => {
					for (const { storage } of [raw, flags]) allocate(device, storage);
					const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
					for (const bytes of slotSizes(total)) slots.push(device.createBuffer("read weights", bytes, usage));
				});
				await inOrder(slots, chunks, async (slot, chunk, before) => {
					if (signal?.aborted) throw new SyncHumanError("aborted", "Loading weights was stopped.");
					await readInto(slot, chunk);
					await before;
					await device.guarded("uploading weights", () => {
						slot.unmap();
						const encoder = device.gpu.createCommandEncoder();
						if (raw.storage.buffer === undefined) throw new Error("stored weights: no buffer");
						encoder.copyBufferToBuffer(slot, 0, raw.storage.buffer, chunk.start, chunk.byteLength);
						device.gpu.queue.submit([encoder.finish()]);
					});
					if (chunk.start + chunk.byteLength < chunk.batch.byteLength) return;
					await arrange(device, chunk.batch, raw, flags);
					for (const { weight } of chunk.batch.weights) onDone(weight);
				});
				await device.idle();
				return (await readUnsigned(device, flags))[0] === 0;
			} finally {
				for (const slot of slots) device.destroyBuffer(slot);
				for (const { storage } of [raw, flags]) release(device, storage);
			}
		},
	};
}

/**
 * Has every slot do chunk after chunk, each handed a promise that resolves when the chunk before it is done. Rejects with the first
 * error when all have stopped.
 */
async function inOrder(
	slots: readonly GPUBuffer[],
	chunks: readonly Chunk[],
	work: (slot: GPUBuffer, chunk: Chunk, before: Promise<void>) => Promise<void>,
): Promise<void> {
	const waiting = chunks.values();
	let last: Promise<void> = Promise.resolve();
	const lane = async (slot: GPUBuffer) => {
		for (const chunk of waiting) {
			last = work(slot, chunk, last);
			await last;
		}
	};
	const ended = await Promise.allSettled(slots.map(lane));
	for (const one of ended) if (one.status === "rejected") throw one.reason;
}

async function readInto(slot: GPUBuffer, { byteLength, pieces }: Chunk): Promise<void> {
	await slot.mapAsync(GPUMapMode.WRITE, 0, byteLength);
	const bytes = new Uint8Array(slot.getMappedRange(0, byteLength));
	for (const { what, place, from, at, byteLength: length } of pieces) {
		await readRangeInto(place.source, place.offset + from, bytes.subarray(at, at + length), what);
	}
}

async function arrange(device: Device, { weights }: Batch, raw: Tensor, flags: Tensor): Promise<void> {
	const graph = new Graph(device, "arranging weights");
	for (const { weight, byteOffset } of weights) {
		const { places, wholeShape, layout, target } = weight;
		const { view, permute, padLastTo } = layout;
		const rawDtype = places[0].dtype as RawDType;
		arrangeWeight(graph, { raw, rawDtype, byteOffset, target, flags, storedShape: wholeShape, view, permute, padLastTo });
	}
	const executable = await compileGraph(graph);
	try {
		await executable.run();
	} finally {
		executable.destroy();
	}
}

function batchesOf(weights: readonly PlacedWeight[]): Batch[] {
	const batches: Batch[] = [];
	let batch: Batch = { weights: [], byteLength: 0 };
	for (const weight of weights) {
		const byteLength = aligned(weight.places.reduce((sum, place) => sum + place.byteLength, 0));
		if (batch.byteLength === 0 || batch.byteLength + byteLength > batchBytes) {
			batch = { weights: [], byteLength: 0 };
			batches.push(batch);
		}
		batch.weights.push({ weight, byteOffset: batch.byteLength });
		batch.byteLength += byteLength;
	}
	return batches;
}

/** A batch in pieces of at most a slot; what lies between tensors is whatever the slot held. */
function chunksOf(batch: Batch): Chunk[] {
	const chunks: Chunk[] = [];
	for (let start = 0; start < batch.byteLength; start += slotBytes) {
		const end = Math.min(start + slotBytes, batch.byteLength);
		const pieces: Piece[] = [];
		for (const { weight, byteOffset } of batch.weights) {
			let first = byteOffset;
			const what = `tensor ${weight.target.storage.label}`;
			for (const place of weight.places) {
				const from = Math.max(start, first);
				const until = Math.min(end, first + place.byteLength);
				if (from < until) pieces.push({ what, place, from: from - first, at: from - start, byteLength: until - from });
				first += place.byteLength;
			}
		}
		chunks.push({ batch, start, byteLength: end - start, pieces });
	}
	return chunks;
}

/** Of all slots: no more than there is to read. */
function slotSizes(total: number): readonly number[] {
	return Array.from({ length: Math.min(slotCount, Math.ceil(total / slotBytes)) }, () => Math.min(slotBytes, total));
}

function aligned(byteLength: number): number {
	return Math.ceil(byteLength / alignment) * alignment;
}

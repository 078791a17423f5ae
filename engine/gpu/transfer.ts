import type { Device } from "./device.ts";
import { float16ToFloat32, float32ToFloat16 } from "./float16.ts";
import { createTensor, type DType, describe, elementCount, type Storage, type Tensor, tensorBytes } from "./tensor.ts";

/** Host values of a tensor. Float32Array is converted for f16 tensors; Uint16Array gives f16 bits as they are. */
export type TensorValues = Float32Array | Uint16Array | Int32Array | Uint32Array;

const storageUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Gives a resident storage its buffer (zeros). */
export function allocate(device: Device, storage: Storage): void {
	storage.buffer ??= device.createBuffer(storage.label, storage.byteLength, storageUsage());
}

/** Frees a storage's buffer. */
export function release(device: Device, storage: Storage): void {
	if (storage.buffer !== undefined) device.destroyBuffer(storage.buffer);
	storage.buffer = undefined;
}

/** A resident tensor with memory of its own and, where given, these values. Free it with `release(device, tensor.storage)`. */
export function residentTensor(device: Device, label: string, dtype: DType, shape: readonly number[], values?: TensorValues): Tensor {
	const tensor = createTensor(label, dtype, shape, "resident");
	allocate(device, tensor.storage);
	if (values !== undefined) writeTensor(device, tensor, values);
	return tensor;
}

/** Bytes of one queue.writeBuffer; larger writes are cut so that Dawn's staging memory stays small. */
const writePieceBytes = 64 << 20;

/** Overwrites a tensor from the host. Throws where the number of values differs. */
export function writeTensor(device: Device, tensor: Tensor, values: TensorValues): void {
	if (values.length !== elementCount(tensor.shape))
		throw new RangeError(`${tensor.storage.label}: must be ${describe(tensor)}, got ${values.length} values`);
	const buffer = bufferOf(tensor);
	const stored =
		tensor.dtype === "f16" && values instanceof Float32Array
			? float32ToFloat16(values)
			: tensor.dtype === "f32" && !(values instanceof Float32Array)
				? Float32Array.from(values)
				: values;
	let bytes = new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, stored.byteLength);
	if (bytes.byteLength % 4 !== 0) {
		const padded = new Uint8Array(bytes.byteLength + 2);
		padded.set(bytes);
		bytes = padded;
	}
	const { queue } = device.gpu;
	for (let start = 0; start < bytes.byteLength; start += writePieceBytes) {
		queue.writeBuffer(buffer, tensor.byteOffset + start, bytes, start, Math.min(writePieceBytes, bytes.byteLength - start));
		if (bytes.byteLength > writePieceBytes) queue.submit([]);
	}
}

/** Copies all bytes of a tensor to another of the same size, on the GPU. */
export function copyTensor(device: Device, from: Tensor, to: Tensor): void {
	if (tensorBytes(from) !== tensorBytes(to)) throw new RangeError(`copyTensor: ${describe(from)} does not fit ${describe(to)}`);
	const encoder = device.gpu.createCommandEncoder();
	encoder.copyBufferToBuffer(bufferOf(from), from.byteOffset, bufferOf(to), to.byteOffset, tensorBytes(from));
	device.gpu.queue.submit([encoder.finish()]);
}

function bufferOf({ storage }: Tensor): GPUBuffer {
	if (storage.buffer === undefined) throw new Error(`${storage.label}: has no memory`);
	return storage.buffer;
}

/** The values of a tensor after everything submitted so far; f16 is widened to f32, integers are reinterpreted bit for bit. */
export async function readTensor(device: Device, tensor: Tensor): Promise<Float32Array> {
	const bytes = await readBytes(device, tensor);
	if (tensor.dtype === "f16") return float16ToFloat32(new Uint16Array(bytes, 0, elementCount(tensor.shape)));
	return new Float32Array(bytes, 0, elementCount(tensor.shape));
}

/** The values of an i32 or u32 tensor. */
export async function readUnsigned(device: Device, tensor: Tensor): Promise<Uint32Array<ArrayBuffer>> {
	return new Uint32Array(await readBytes(device, tensor), 0, elementCount(tensor.shape));
}

/**
 * The values of several i32, u32 or f32 tensors, bit for bit, in one round trip. Tensors of more than `readPieceBytes` together are read one by
 * one.
 */
export async function readTogether(device: Device, tensors: readonly Tensor[]): Promise<readonly Uint32Array<ArrayBuffer>[]> {
	const lengths = tensors.map((tensor) => Math.max(4, tensorBytes(tensor)));
	const total = lengths.reduce((sum, length) => sum + length, 0);
	if (total > readPieceBytes) {
		const values: Uint32Array<ArrayBuffer>[] = [];
		for (const tensor of tensors) values.push(await readUnsigned(device, tensor));
		return values;
	}
	return throughReadBuffer(device, "read", total, async (through) => {
		const encoder = device.gpu.createCommandEncoder();
		let at = 0;
		for (const [i, tensor] of tensors.entries()) {
			encoder.copyBufferToBuffer(bufferOf(tensor), tensor.byteOffset, through, at, lengths[i]);
			at += lengths[i];
		}
		device.gpu.queue.submit([encoder.finish()]);
		await through.mapAsync(GPUMapMode.READ, 0, total);
		const mapped = through.getMappedRange(0, total);
		at = 0;
		return tensors.map((_, i) => {
			at += lengths[i];
			return new Uint32Array(new Uint32Array(mapped, at - lengths[i], lengths[i] / 4));
		});
	});
}

/** Bytes of the buffer that readbacks go through, at most. */
export const readPieceBytes = 16 << 20;
/** And at least. */
const leastReadBytes = 64 << 10;

/** The buffer that readbacks went through last. */
const keptReadBuffers = new WeakMap<Device, GPUBuffer>();

/**
 * Gives `work` a buffer of at least `byteLength` bytes that can be copied into and mapped to read, and unmaps it afterwards. Every device keeps
 * one: on an H200's host a new one of 4 MiB takes 1 ms and its first mapping 0.5 ms, the mapping of a kept one 0.04. On a discrete card it lies
 * in main memory; it counts as memory of the device while it is used.
 */
async function throughReadBuffer<T>(device: Device, what: string, byteLength: number, work: (buffer: GPUBuffer) => Promise<T>): Promise<T> {
	const { memory } = device;
	let buffer = keptReadBuffers.get(device);
	keptReadBuffers.delete(device);
	memory.currentBytes += byteLength;
	memory.peakBytes = Math.max(memory.peakBytes, memory.currentBytes);
	try {
		const result = await device.guarded(what, () => {
			if (buffer === undefined || buffer.size < byteLength) {
				buffer?.destroy();
				const size = Math.max(leastReadBytes, 2 ** Math.ceil(Math.log2(byteLength)));
				buffer = device.gpu.createBuffer({ label: "read", size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
			}
			return work(buffer);
		});
		buffer?.unmap();
		// Another readback may have ended meanwhile.
		keptReadBuffers.get(device)?.destroy();
		if (buffer) keptReadBuffers.set(device, buffer);
		return result;
	} catch (error) {
		buffer?.destroy();
		throw error;
	} finally {
		memory.currentBytes -= byteLength;
	}
}

async function readBytes(device: Device, tensor: Tensor): Promise<ArrayBuffer> {
	const buffer = bufferOf(tensor);
	const byteLength = Math.max(4, Math.ceil(tensorBytes(tensor) / 4) * 4);
	const pieceBytes = Math.min(byteLength, readPieceBytes);
	return throughReadBuffer(device, `read ${tensor.storage.label}`, pieceBytes, async (through) => {
		let result = new Uint8Array(0);
		for (let start = 0; start < byteLength; start += pieceBytes) {
			const length = Math.min(pieceBytes, byteLength - start);
			const encoder = device.gpu.createCommandEncoder();
			encoder.copyBufferToBuffer(buffer, tensor.byteOffset + start, through, 0, length);
			device.gpu.queue.submit([encoder.finish()]);
			await through.mapAsync(GPUMapMode.READ, 0, length);
			const mapped = new Uint8Array(through.getMappedRange(0, length));
			// A copy is not filled with zeros first.
			if (length === byteLength) return new Uint8Array(mapped).buffer;
			if (start === 0) result = new Uint8Array(byteLength);
			result.set(mapped, start);
			if (start + length < byteLength) through.unmap();
		}
		return result.buffer;
	});
}

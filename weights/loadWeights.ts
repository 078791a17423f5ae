import { SyncHumanError } from "../engine/error.ts";
import { elementCount, rowsOf, type Tensor } from "../engine/gpu/tensor.ts";
import { arrangeElements, castWeight, emptyElements, type WeightElements } from "./arrangeWeight.ts";
import { damaged, quoted } from "./damaged.ts";
import type { StoredPlace, StoredTensor, TensorSource, WeightLayout } from "./source.ts";
import { describeShape, sameShape } from "./storedTensor.ts";

/** What loading needs of a device: engine/gpu's `Device` is one. */
export interface WeightDevice {
	readonly gpu: { readonly queue: Pick<GPUQueue, "writeBuffer" | "submit"> };
	createBuffer(label: string, byteLength: number, usage: number): GPUBuffer;
	destroyBuffer(buffer: GPUBuffer): void;
	guarded<T>(what: string, work: () => T | Promise<T>): Promise<T>;
	/** Resolves when the queue is empty. */
	idle(): Promise<void>;
}

/** Choices at loading. */
export interface LoadOptions {
	/** After every tensor: bytes on the GPU so far, and in the end. */
	readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
	readonly signal?: AbortSignal;
	/** Casts and rearranges on the device; without it the CPU does. */
	readonly upload?: WeightUpload;
}

/** A tensor in a file, or several stacked along axis 0, and where it goes. */
export interface PlacedWeight {
	/** All of one type: F32, F16 or BF16. */
	readonly places: readonly StoredPlace[];
	readonly wholeShape: readonly number[];
	readonly layout: WeightLayout;
	/** f16 or f32, with its buffer. */
	readonly target: Tensor;
}

/** What brings stored bytes to the device and arranges them there, to the bit as the CPU does. */
export interface WeightUpload {
	/** Stored bytes of a tensor that it takes, at most. */
	readonly mostBytes: number;
	/**
	 * Fills the targets; `onDone` is told each. Resolves when the device is done: to false where some value is not finite or does not
	 * fit its target.
	 */
	run(
		weights: readonly PlacedWeight[],
		options: { readonly onDone: (weight: PlacedWeight) => void; readonly signal: AbortSignal | undefined },
	): Promise<boolean>;
}

/** One resident tensor: a stored one, or several stacked along axis 0. */
export interface Declaration {
	readonly names: readonly string[];
	readonly shapes: readonly (readonly number[])[];
	/** The stored shape, of the whole stack. */
	readonly wholeShape: readonly number[];
	readonly layout: WeightLayout;
	readonly compute: (() => Float32Array) | undefined;
	readonly tensor: Tensor;
}

// GPUBufferUsage, which Node has no global for: STORAGE | COPY_DST | COPY_SRC.
const usage = 0x80 | 0x8 | 0x4;

/** Dawn keeps what writeBuffer was given until the next submit: pieces of this size, and a submit after as much. */
const stagingBytes = 64 * 2 ** 20;
/** Bytes in flight before the queue is waited for. */
const inFlightBytes = 256 * 2 ** 20;
/** Storage bindings begin at multiples of this. */
const bindingAlignment = 256;

/** Allocates and fills every declaration, in order. The caller frees what is allocated when this rejects. */
export async function loadDeclarations(
	source: TensorSource,
	declarations: readonly Declaration[],
	device: WeightDevice,
	options: LoadOptions,
): Promise<void> {
	const stopIfAborted = () => {
		if (options.signal?.aborted) throw new SyncHumanError("aborted", `Loading ${source.name} was stopped.`);
	};
	stopIfAborted();
	const totalBytes = declarations.reduce((sum, { tensor }) => sum + tensor.storage.byteLength, 0);
	await device.guarded(`${source.name}: ${totalBytes} bytes of weights`, () => {
		for (const { tensor } of declarations) {
			tensor.storage.buffer = device.createBuffer(tensor.storage.label, tensor.storage.byteLength, usage);
		}
	});
	let loadedBytes = 0;
	const loaded = (tensor: Tensor) => {
		loadedBytes += tensor.storage.byteLength;
		options.onProgress?.(loadedBytes, totalBytes);
	};
	const placed = await placedWeights(source, declarations, options.upload?.mostBytes ?? 0);
	const others = declarations.filter((declaration) => !placed.has(declaration));
	if (others.length > 0) await loadOnHost(source, others, device, stopIfAborted, loaded);
	if (options.upload === undefined || placed.size === 0) return;
	const { signal, upload } = options;
	if (await upload.run([...placed.values()], { signal, onDone: ({ target }) => loaded(target) })) return;
	// The CPU finds the value and says where it is.
	for (const declaration of placed.keys()) arrange(source.name, declaration, await readDeclaration(source, declaration));
	throw damaged(source.name, "holds a value that is not finite, or too large");
}

/** Those of the declarations that lie in files as the device can read them. */
async function placedWeights(
	source: TensorSource,
	declarations: readonly Declaration[],
	mostBytes: number,
): Promise<ReadonlyMap<Declaration, PlacedWeight>> {
	const placed = new Map<Declaration, PlacedWeight>();
	if (source.place === undefined || mostBytes === 0) return placed;
	for (const declaration of declarations) {
		const { names, shapes, wholeShape, layout, tensor } = declaration;
		if (layout.dtype !== "f16" && layout.dtype !== "f32") continue;
		const places: StoredPlace[] = [];
		for (const [index, name] of names.entries()) {
			const place = await source.place(name, shapes[index]);
			if (place !== undefined) places.push(place);
		}
		const byteLength = places.reduce((sum, place) => sum + place.byteLength, 0);
		const readable = places.every(({ dtype }) => dtype === places[0].dtype && ["F32", "F16", "BF16"].includes(dtype));
		if (places.length !== names.length || !readable || byteLength > mostBytes || byteLength === 0) continue;
		placed.set(declaration, { places, wholeShape, layout, target: tensor });
	}
	return placed;
}

/** Reads, casts, rearranges and uploads tensor by tensor; has the source fill what it can make on the device. */
async function loadOnHost(
	source: TensorSource,
	declarations: readonly Declaration[],
	device: WeightDevice,
	stopIfAborted: () => void,
	onDone: (tensor: Tensor) => void,
): Promise<void> {
	const uploads = startUploads(device, source.name);
	// A file is read one tensor ahead, so that the disk works while the CPU casts. Sources that fill on the device have no disk.
	const readsAhead = source.fillOnDevice === undefined;
	let ahead: Promise<readonly StoredTensor[]> | undefined;
	for (const [index, declaration] of declarations.entries()) {
		stopIfAborted();
		if (!(await fillOnDevice(source, declaration))) {
			const stored = await (ahead ?? readDeclaration(source, declaration));
			const next = declarations[index + 1];
			ahead = readsAhead && next !== undefined ? readDeclaration(source, next) : undefined;
			// Where this loop ends early nobody waits for what is read ahead.
			ahead?.catch(() => undefined);
			await uploads.add(declaration.tensor, arrange(source.name, declaration, stored));
		}
		onDone(declaration.tensor);
	}
	await uploads.finish();
}

/** Destroys the buffers of the declarations that have one. */
export function releaseDeclarations(declarations: readonly Declaration[], device: WeightDevice): void {
	for (const { tensor } of declarations) {
		if (tensor.storage.buffer !== undefined) device.destroyBuffer(tensor.storage.buffer);
		tensor.storage.buffer = undefined;
	}
}

/** True where the source has made the whole tensor on the device. A stack is made part by part where its rows keep their order. */
async function fillOnDevice(source: TensorSource, { names, shapes, wholeShape, layout, tensor, compute }: Declaration): Promise<boolean> {
	if (source.fillOnDevice === undefined || (compute !== undefined && source.entries === undefined)) return false;
	if (names.length === 1) return source.fillOnDevice(names[0], shapes[0], layout, tensor);
	// Rows of the tensor are runs of stored rows, one after the other.
	const { view = wholeShape, permute: [first] = [0] } = layout;
	const run = wholeShape[0] / view[0];
	if (first !== 0 || !shapes.every(([rows]) => Number.isInteger(rows / run))) return false;
	let start = 0;
	for (const [index, name] of names.entries()) {
		const count = shapes[index][0] / run;
		const rows = rowsOf(tensor, start, count);
		const ofPart = { ...layout, view: [count, ...view.slice(1)] };
		if (rows.byteOffset % bindingAlignment !== 0 || !(await source.fillOnDevice(name, shapes[index], ofPart, rows))) return false;
		start += count;
	}
	return true;
}

async function readDeclaration(source: TensorSource, { names, shapes, compute }: Declaration): Promise<readonly StoredTensor[]> {
	if (compute !== undefined && source.entries === undefined) {
		const values = compute();
		return [{ dtype: "F32", shape: shapes[0], bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }];
	}
	const stored: StoredTensor[] = [];
	for (const [index, name] of names.entries()) {
		const tensor = await source.read(name, shapes[index]);
		if (!sameShape(tensor.shape, shapes[index])) {
			throw damaged(source.name, `tensor ${quoted(name)} must be ${describeShape(shapes[index])}, got ${describeShape(tensor.shape)}`);
		}
		stored.push(tensor);
	}
	return stored;
}

/** Cast, stacked and rearranged as it lies on the GPU. */
function arrange(file: string, { names, wholeShape, layout }: Declaration, stored: readonly StoredTensor[]): WeightElements {
	if (stored.length === 1) return arrangeElements(castWeight(stored[0], layout.dtype, file, names[0]), wholeShape, layout);
	const whole = emptyElements(layout.dtype, elementCount(wholeShape));
	let start = 0;
	for (const [index, tensor] of stored.entries()) {
		const part = castWeight(tensor, layout.dtype, file, names[index]);
		whole.set(part as never, start);
		start += part.length;
	}
	return arrangeElements(whole, wholeShape, layout);
}

/** Collects writes up to the staging size, submits them, and waits for the queue now and then. */
function startUploads(device: WeightDevice, file: string) {
	let pending: { buffer: GPUBuffer; offset: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
	let pendingBytes = 0;
	let unfinishedBytes = 0;
	const flush = async () => {
		const writes = pending;
		pending = [];
		unfinishedBytes += pendingBytes;
		pendingBytes = 0;
		await device.guarded(`${file}: uploading weights`, () => {
			for (const { buffer, offset, bytes } of writes) device.gpu.queue.writeBuffer(buffer, offset, bytes);
			device.gpu.queue.submit([]);
		});
		if (unfinishedBytes < inFlightBytes) return;
		await device.idle();
		unfinishedBytes = 0;
	};
	return {
		async add(tensor: Tensor, elements: WeightElements): Promise<void> {
			const { buffer, byteLength } = tensor.storage;
			if (buffer === undefined) throw new Error(`weights: ${tensor.storage.label} has no buffer`);
			let bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
			if (bytes.length !== byteLength) {
				// Rounded up to whole words.
				const padded = new Uint8Array(byteLength);
				padded.set(bytes);
				bytes = padded;
			}
			for (let offset = 0; offset < byteLength; offset += stagingBytes) {
				const piece = bytes.subarray(offset, offset + stagingBytes);
				if (pendingBytes + piece.length > stagingBytes) await flush();
				pending.push({ buffer, offset, bytes: piece });
				pendingBytes += piece.length;
			}
		},
		async finish(): Promise<void> {
			await flush();
			await device.idle();
		},
	};
}

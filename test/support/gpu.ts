import { type Device, type DeviceOptions, openDevice } from "../../engine/gpu/device.ts";
import type { DType, Tensor } from "../../engine/gpu/tensor.ts";
import { residentTensor, type TensorValues } from "../../engine/gpu/transfer.ts";
import { compileGraph } from "../../engine/graph/executable.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { openGpu } from "../../runners/openGpu.ts";

const opened = new Map<string, Promise<Device>>();

/**
 * The one device of this test file (vitest gives every file a process of its own); software adapters are welcome. Other options give
 * a second device.
 */
export function testDevice(options: DeviceOptions = {}): Promise<Device> {
	const key = JSON.stringify(options);
	let device = opened.get(key);
	if (device === undefined) {
		device = openGpu().then((gpu) => openDevice(gpu, { ...options, allowSoftware: true }));
		opened.set(key, device);
	}
	return device;
}

/** A device that reports subgroup matrices, for what is recorded and chosen: their kernels run where it has them, or emulated. */
export function withMatrices(device: Device): Device {
	const report = {
		...device.report,
		software: false,
		f16: true,
		subgroupMatrixShapes: ["f16->f32 16x16x16"],
		subgroupSizes: [32, 32] as const,
		subgroups: false, // of 32: norms go without
	};
	return { ...device, report };
}

/** Records `build`, runs it once and gives the values of the tensors it returns; integers come as f32 of the same value, f16 widened. */
export async function runGraph(device: Device, build: (graph: Graph) => Tensor | readonly Tensor[]): Promise<Float32Array[]> {
	const graph = new Graph(device, "test");
	const built = build(graph);
	const outputs = "shape" in built ? [built] : built;
	for (const tensor of outputs) graph.output(tensor);
	const executable = await compileGraph(graph);
	try {
		await executable.run();
		const values: Float32Array[] = [];
		for (const tensor of outputs) values.push(await valuesOf(tensor));
		return values;
	} finally {
		executable.destroy();
	}

	async function valuesOf(tensor: Tensor): Promise<Float32Array> {
		if (tensor.dtype === "f32" || tensor.dtype === "f16") return executable.read(tensor);
		const bits = await executable.readIntegers(tensor);
		return Float32Array.from(tensor.dtype === "i32" ? new Int32Array(bits.buffer, bits.byteOffset, bits.length) : bits);
	}
}

/** Makes a tensor of the device that a graph is recorded for. */
export type MakeTensor = (label: string, dtype: DType, shape: readonly number[], values: TensorValues) => Tensor;

/**
 * What `build` gives where everything fits, and where one binding shows at most `maxBindingBytes`: to be equal to the bit. Throws where
 * the second takes no more dispatches than the first, so that the limit was none.
 */
export async function wholeAndInWindows(
	maxBindingBytes: number,
	build: (graph: Graph, tensor: MakeTensor) => Tensor,
): Promise<readonly [whole: Float32Array, inWindows: Float32Array]> {
	const results: Float32Array[] = [];
	const dispatches: number[] = [];
	for (const device of [await testDevice(), await testDevice({ maxBindingBytes })]) {
		const [values] = await runGraph(device, (graph) => {
			const built = build(graph, (label, dtype, shape, made) => residentTensor(device, label, dtype, shape, made));
			dispatches.push(graph.dispatches.length);
			return built;
		});
		results.push(values);
	}
	if (dispatches[1] <= dispatches[0]) throw new Error(`${dispatches[1]} dispatches with a limit, ${dispatches[0]} without`);
	return [results[0], results[1]];
}

/** `count` values spread evenly over [-scale, scale), the same for the same seed. */
export function randomValues(count: number, seed: number, scale = 1): Float32Array {
	const values = new Float32Array(count);
	for (let i = 0; i < count; i++) {
		let h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
		h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
		h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
		values[i] = (((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1) * scale;
	}
	return values;
}

/**
 * Normalised mean square error: sum((actual - expected)^2) / sum(expected^2). Throws at the first value that is not finite, naming its
 * index, and where the lengths differ.
 */
export function nmse(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
	if (actual.length !== expected.length) throw new Error(`nmse: ${actual.length} values, expected ${expected.length}`);
	let difference = 0;
	let power = 0;
	for (let i = 0; i < actual.length; i++) {
		if (!Number.isFinite(actual[i])) throw new Error(`nmse: value ${i} is ${actual[i]}, expected ${expected[i]}`);
		difference += (actual[i] - expected[i]) ** 2;
		power += expected[i] ** 2;
	}
	return power === 0 ? difference : difference / power;
}

import type { Device } from "../../engine/gpu/device.ts";
import type { DType, Tensor } from "../../engine/gpu/tensor.ts";
import { release, residentTensor, type TensorValues } from "../../engine/gpu/transfer.ts";
import { compileGraph } from "../../engine/graph/executable.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { Weights } from "../../weights/weights.ts";
import type { HostTensor, ParityContext } from "./adapter.ts";

/** What a recording of an adapter works with. */
export interface Recording {
	readonly graph: Graph;
	/** A resident tensor with these values, freed after the run. */
	input(label: string, dtype: DType, shape: readonly number[], values: HostTensor["data"]): Tensor;
}

/** Host values of tensors in our layout, by the name they were tapped or returned under. */
export type RecordedValues = ReadonlyMap<string, HostTensor & { readonly data: Float32Array }>;

/**
 * Declares a model over the case's weights, records one graph, runs it once and reads what `record` returns by name together with every
 * tap that has the name of an output of the golden. All of the checkpoint must be used.
 */
export async function recordedRun<Model>(
	context: ParityContext,
	declare: (weights: Weights) => Model,
	record: (recording: Recording, model: Model) => Readonly<Record<string, Tensor>>,
): Promise<RecordedValues> {
	const device = await context.device();
	const weights = Weights.open(context.weights);
	const model = declare(weights);
	await weights.load(device);
	try {
		return await runOnce(device, context, (recording) => record(recording, model));
	} finally {
		weights.release();
	}
}

/** One graph, recorded and run once, for models whose weights are loaded already. */
export async function runOnce(
	device: Device,
	context: ParityContext,
	record: (recording: Recording) => Readonly<Record<string, Tensor>>,
): Promise<RecordedValues> {
	const graph = new Graph(device, context.name, { tapped: (name) => wanted(context, name) });
	const inputs: Tensor[] = [];
	try {
		const returned = record({
			graph,
			input(label, dtype, shape, values) {
				const tensor = residentTensor(
					device,
					label,
					dtype,
					shape,
					values instanceof Float64Array ? Float32Array.from(values) : (values as TensorValues),
				);
				inputs.push(tensor);
				return tensor;
			},
		});
		for (const tensor of Object.values(returned)) graph.output(tensor);
		const executable = await compileGraph(graph);
		try {
			await executable.run();
			const values = new Map<string, HostTensor & { data: Float32Array }>();
			for (const [name, tensor] of [...graph.taps, ...Object.entries(returned)]) {
				values.set(name, { shape: tensor.shape, data: await executable.read(tensor) });
			}
			return values;
		} finally {
			executable.destroy();
		}
	} finally {
		for (const tensor of inputs) release(device, tensor.storage);
	}
}

/** Whether a golden keeps an activation, whole or in chunks. */
function wanted({ outputNames }: ParityContext, name: string): boolean {
	return outputNames.includes(name) || outputNames.includes(`${name}.chunk0`);
}

/** torch: x.view(view).permute(axes), as a copy on the host. */
export function permuted(
	x: HostTensor,
	axes: readonly number[],
	view: readonly number[] = x.shape,
): HostTensor & { readonly data: Float32Array } {
	const strides = view.map((_, axis) => view.slice(axis + 1).reduce((a, b) => a * b, 1));
	const shape = axes.map((axis) => view[axis]);
	const data = new Float32Array(x.data.length);
	const position = new Array<number>(axes.length).fill(0);
	let source = 0;
	for (let i = 0; i < data.length; i++) {
		data[i] = x.data[source];
		for (let axis = axes.length - 1; axis >= 0; axis--) {
			source += strides[axes[axis]];
			if (++position[axis] < shape[axis]) break;
			source -= strides[axes[axis]] * shape[axis];
			position[axis] = 0;
		}
	}
	return { shape, data };
}

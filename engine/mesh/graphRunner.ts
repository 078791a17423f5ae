import type { Device } from "../gpu/device.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { readTogether, release, residentTensor } from "../gpu/transfer.ts";
import { compileGraph, type Executable } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";

/** Graphs that run one after the other, each recorded when the host knows how large its results are. */
export interface GraphRunner {
	/** Kernel calls so far. */
	readonly dispatchCount: number;
	/** Records a graph, runs it and gives what `record` gives; outputs of the graph stay until `end`. */
	run<T>(label: string, record: (graph: Graph) => T): Promise<T>;
	/** A tensor of these values (u32, i32 or f32), or of zeros (u32), until `end`. */
	upload(label: string, shape: readonly number[], values?: Uint32Array | Int32Array | Float32Array): Tensor;
	/** The first elements of u32 tensors, in one round trip. */
	numbers(...tensors: readonly Tensor[]): Promise<readonly number[]>;
	/** Frees everything. */
	end(): void;
}

/** The type of a tensor of these values, of zeros without. */
export function dtypeOf(values: Uint32Array | Int32Array | Float32Array | undefined): "f32" | "i32" | "u32" {
	return values instanceof Float32Array ? "f32" : values instanceof Int32Array ? "i32" : "u32";
}

/** A runner that holds nothing yet. */
export function graphRunner(device: Device): GraphRunner {
	const executables: Executable[] = [];
	const owned: Tensor[] = [];
	return {
		get dispatchCount() {
			return executables.reduce((sum, { dispatchCount }) => sum + dispatchCount, 0);
		},
		async run(label, record) {
			const graph = new Graph(device, label);
			const recorded = record(graph);
			const executable = await compileGraph(graph);
			executables.push(executable);
			await executable.run();
			return recorded;
		},
		upload(label, shape, values) {
			const tensor = residentTensor(device, label, dtypeOf(values), shape, values);
			owned.push(tensor);
			return tensor;
		},
		async numbers(...tensors) {
			const first = tensors.map((tensor) => ({ ...tensor, shape: [1] }));
			return (await readTogether(device, first)).map(([number]) => number);
		},
		end() {
			for (const executable of executables) executable.destroy();
			for (const { storage } of owned) release(device, storage);
		},
	};
}

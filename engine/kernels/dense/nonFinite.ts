import type { Device } from "../../gpu/device.ts";
import { describe, elementCount, rowsOf, type Tensor, tensorBytes } from "../../gpu/tensor.ts";
import { compileGraph, type Executable } from "../../graph/executable.ts";
import { Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

const workgroupSize = 64;
const mostGroups = 1024;

/** u32 [1]: how many elements of x (f32 or f16) are NaN or infinite. Splits into windows anywhere. Throws for integers. */
export function countNonFinite(graph: Graph, x: Tensor): Tensor {
	const label = "nonFinite";
	if (x.dtype !== "f32" && x.dtype !== "f16") throw new Error(`${graph.path}/${label}: x must be f32 or f16, got ${describe(x)}`);
	const words: Tensor = { ...x, dtype: "u32", shape: [Math.ceil(tensorBytes(x) / 4)] };
	const windows: { start: number; rows: number; firstCount: number; groups: number }[] = [];
	let allGroups = 0;
	forEachWindow(graph, words.shape[0], [words], (start, rows) => {
		const groups = Math.max(1, Math.min(mostGroups, Math.ceil(rows / (workgroupSize * 16))));
		windows.push({ start, rows, firstCount: allGroups, groups });
		allGroups += groups;
	});
	const counts = graph.tensor(`${label} counts`, "u32", [allGroups]);
	const perWord = x.dtype === "f16" ? 2 : 1;
	for (const { start, rows, firstCount, groups } of windows) {
		graph.dispatch({
			shader: "dense/nonFinite",
			label: `${label} counts`,
			overrides: { workgroupSize, halves: perWord === 2 },
			tensors: { x: rowsOf(words, start, rows), counts },
			params: { words: rows, elements: elementCount(x.shape) - start * perWord, firstCount, groups },
			workgroups: [groups],
		});
	}
	const total = graph.tensor(label, "u32", [1]);
	graph.dispatch({
		shader: "dense/nonFinite",
		label,
		overrides: { workgroupSize, adding: true },
		tensors: { x: counts, counts: total },
		params: { words: allGroups, elements: allGroups, firstCount: 0, groups: 1 },
		workgroups: [1],
	});
	return total;
}

/** How many values of a tensor that has its memory are NaN or infinite, after everything submitted so far. */
export async function nonFiniteCount(device: Device, tensor: Tensor): Promise<number> {
	const graph = new Graph(device, `nonFinite of ${tensor.storage.label}`);
	const total = graph.output(countNonFinite(graph, { ...tensor, storage: { ...tensor.storage, kind: "resident" } }));
	const counter = await compileGraph(graph);
	try {
		await counter.run();
		const [count] = await counter.readIntegers(total);
		return count;
	} finally {
		counter.destroy();
	}
}

/** Where the first value that is not finite was written. */
export interface NonFiniteResult {
	/** The dispatch's label: scopes, then the kernel. */
	readonly label: string;
	/** What it wrote, such as "f16[2,4096,1024]". */
	readonly tensor: string;
	readonly count: number;
}

/**
 * Runs a graph once, dispatch by dispatch, and stops at the first that writes NaN or infinity; undefined where none does. The inputs
 * must be those of the run in question: what a graph updates in place has to be written again before. For finding a fault, slow.
 */
export async function findNonFinite(device: Device, executable: Executable): Promise<NonFiniteResult | undefined> {
	let found: NonFiniteResult | undefined;
	const stop = Symbol("stop");
	const inspect = async (label: string, tensor: Tensor) => {
		if (tensor.dtype !== "f32" && tensor.dtype !== "f16") return;
		const count = await nonFiniteCount(device, tensor);
		if (count === 0) return;
		found = { label, tensor: describe(tensor), count };
		throw stop;
	};
	try {
		await executable.runInspected(inspect);
	} catch (error) {
		if (error !== stop) throw error;
	}
	return found;
}

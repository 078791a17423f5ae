import type { Tensor } from "../gpu/tensor.ts";
import { readPieceBytes } from "../gpu/transfer.ts";
import { Graph } from "../graph/graph.ts";
import { requireFinite } from "./finite.ts";
import type { Network } from "./networks.ts";
import { type Part, type PartContext, runPart, stopIfAborted } from "./part.ts";

/** A part of one graph with one input and one output. */
export interface SingleGraphPart {
	readonly part: Part;
	readonly output: Tensor;
	/** Loads the network, runs it once for every value of the input, and frees it. Rejects with code "device" where a result is not finite. */
	run(values: readonly Float32Array[]): Promise<readonly Float32Array[]>;
}

/**
 * Records such a part. While a result is read and checked the GPU works on the next value already, where a result is read in one piece: two
 * of them are then on their way at most.
 */
export function singleGraphPart<Model>(
	context: PartContext,
	name: string,
	{ weights, model }: Network<Model>,
	record: (graph: Graph, model: Model) => { readonly input: Tensor; readonly output: Tensor },
): SingleGraphPart {
	const { device } = context;
	const graph = new Graph(device, name);
	const { input, output } = record(graph, model);
	graph.output(output);
	const { byteLength } = output.storage;
	const ahead = byteLength <= readPieceBytes;
	const part: Part = { name, weights: [weights], graphs: [graph], ...(ahead && { extraBytes: 2 * byteLength }) };
	return {
		part,
		output,
		run: (values) =>
			runPart(context, part, async ([executable], report) => {
				const prepare = (value: Float32Array) => () => {
					executable.write(input, value);
					return executable;
				};
				const start = async (value: Float32Array) => {
					// Without waiting in between: the copy of the result is queued before the next value is.
					const submitted = prepare(value)().run();
					const [, result] = await Promise.all([submitted, executable.read(output)]);
					return result;
				};
				const startAhead = (value: Float32Array) => {
					const result = start(value);
					// It may fail before anyone waits for it.
					result.catch(() => undefined);
					return result;
				};
				const results: Float32Array[] = [];
				let next: Promise<Float32Array> | undefined;
				try {
					for (const [index, value] of values.entries()) {
						stopIfAborted(context);
						const current = next ?? start(value);
						next = undefined;
						if (ahead && index + 1 < values.length) next = startAhead(values[index + 1]);
						const result = await current;
						await requireFinite(device, name, result, prepare(value));
						results.push(result);
						report(results.length, values.length);
					}
				} finally {
					// Nothing is freed under a copy that is on its way.
					await Promise.allSettled([next]);
				}
				return results;
			}),
	};
}

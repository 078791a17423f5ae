import type { Tensor } from "../gpu/tensor.ts";
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

/** Records such a part. */
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
	const part: Part = { name, weights: [weights], graphs: [graph] };
	return {
		part,
		output,
		run: (values: readonly Float32Array[]) =>
			runPart(context, part, async ([executable], report) => {
				const results: Float32Array[] = [];
				for (const value of values) {
					stopIfAborted(context);
					const prepare = () => {
						executable.write(input, value);
						return executable;
					};
					await prepare().run();
					const result = await executable.read(output);
					await requireFinite(device, name, result, prepare);
					results.push(result);
					report(results.length, values.length);
				}
				return results;
			}),
	};
}

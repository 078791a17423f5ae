import { damaged, quoted } from "./damaged.ts";
import type { FoldableConvolution, ReadableTensor } from "./foldedConvolutions.ts";
import type { OnnxGraph, OnnxNode } from "./onnx.ts";

/** A convolution of a graph, in the order in which it runs. */
export interface OnnxConvolution extends Omit<FoldableConvolution, "name"> {
	/** What a message calls it: its output. */
	readonly place: string;
	readonly dilation: number;
	/** Whether a ReLU takes what it gives. */
	readonly activated: boolean;
}

/** How an ONNX file's bilinear resizes find their places. */
export type OnnxUpsampling = "bilinear" | "bilinearAsymmetric" | "bilinearCorners";

/**
 * The convolutions of a graph in the order of its nodes, which the format makes an order of execution, each with the BatchNormalization that
 * takes its output alone; names mean nothing. Throws code "checkpoint" for what a plain convolution with stride 1 and equal
 * padding is not, or whose weights are no constants.
 */
export function convolutionsOfGraph(graph: OnnxGraph): readonly OnnxConvolution[] {
	const takers = new Map<string, OnnxNode[]>();
	for (const node of graph.nodes) {
		for (const input of node.inputs) takers.set(input, [...(takers.get(input) ?? []), node]);
	}
	const constant = constantsOf(graph);
	return graph.nodes
		.filter(({ op }) => op === "Conv")
		.map((node) => {
			const [, weightName, biasName] = node.inputs;
			const weight = constant(weightName, node);
			const after = takers.get(node.outputs[0]) ?? [];
			const norm = after.length === 1 && after[0].op === "BatchNormalization" ? after[0] : undefined;
			const last = norm === undefined ? after : (takers.get(norm.outputs[0]) ?? []);
			return {
				place: node.outputs[0] ?? "",
				dilation: geometry(graph, node, weight.shape),
				activated: last.some(({ op }) => op === "Relu"),
				weight,
				bias: biasName === undefined || biasName === "" ? undefined : constant(biasName, node),
				norm: norm && {
					scale: constant(norm.inputs[1], norm),
					offset: constant(norm.inputs[2], norm),
					mean: constant(norm.inputs[3], norm),
					variance: constant(norm.inputs[4], norm),
					eps: norm.attributes.get("epsilon")?.float ?? 1e-5,
				},
			};
		});
}

/** A constant by the name under which a node reads it: an initializer or a Constant, also through Identity. */
function constantsOf(graph: OnnxGraph): (name: string | undefined, reader: OnnxNode) => ReadableTensor {
	const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
	return (name, reader) => {
		let current = name;
		// Identities could lead in a circle.
		for (let step = 0; step < 16 && current !== undefined; step++) {
			const stored = graph.initializers.get(current);
			if (stored !== undefined) return stored;
			const maker = makers.get(current);
			const value = maker?.op === "Constant" ? maker.attributes.get("value")?.tensor : undefined;
			if (value !== undefined) return value;
			current = maker?.op === "Identity" ? maker.inputs[0] : undefined;
		}
		throw damaged(graph.file, `${reader.op} ${quoted(reader.outputs[0] ?? "")} reads ${quoted(name ?? "")}, which is no constant`, other);
	};
}

const other = "Give rembg's u2net.onnx or u2netp.onnx as released.";

/** The dilation; everything else must be as U2NET has it. */
function geometry(graph: OnnxGraph, { attributes, outputs }: OnnxNode, shape: readonly number[]): number {
	const all = (name: string, fallback: number) => attributes.get(name)?.ints ?? [fallback];
	const dilations = all("dilations", 1);
	const [dilation] = dilations;
	const kernel = shape.slice(2);
	const padding = (dilation * (kernel[0] - 1)) / 2;
	const automatic = attributes.get("auto_pad")?.text ?? "NOTSET";
	const fits =
		shape.length === 4 &&
		kernel[0] === kernel[1] &&
		dilations.every((step) => step === dilation) &&
		all("strides", 1).every((stride) => stride === 1) &&
		(automatic.startsWith("SAME") || (automatic === "NOTSET" && all("pads", 0).every((pad) => pad === padding))) &&
		(attributes.get("group")?.int ?? 1) === 1;
	if (!fits) throw damaged(graph.file, `the convolution ${quoted(outputs[0] ?? "")} is none that U2NET has`, other);
	return dilation;
}

/**
 * How the graph enlarges: `Upsample` and `Resize` before opset 11 are asymmetric, later ones say it themselves. Throws code
 * "checkpoint" where they differ from one another, are not linear, or there is none.
 */
export function upsamplingOfGraph(graph: OnnxGraph): OnnxUpsampling {
	const found = new Set<string>();
	for (const { op, attributes } of graph.nodes) {
		if (op !== "Upsample" && op !== "Resize") continue;
		const mode = attributes.get("mode")?.text ?? "nearest";
		if (mode !== "linear" && mode !== "bilinear") throw damaged(graph.file, `enlarges by ${quoted(mode)}, not bilinearly`, other);
		const symmetric = op === "Resize" && graph.opset >= 11;
		found.add(symmetric ? (attributes.get("coordinate_transformation_mode")?.text ?? "half_pixel") : "asymmetric");
	}
	const modes = [...found].map((mode) => (mode === "pytorch_half_pixel" ? "half_pixel" : mode));
	const known: Readonly<Record<string, OnnxUpsampling>> = {
		half_pixel: "bilinear",
		asymmetric: "bilinearAsymmetric",
		align_corners: "bilinearCorners",
	};
	const upsampling = new Set(modes).size === 1 ? known[modes[0]] : undefined;
	if (upsampling === undefined) throw damaged(graph.file, `enlarges by the coordinate modes [${modes.map((mode) => quoted(mode))}]`, other);
	return upsampling;
}

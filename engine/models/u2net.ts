// upstream: model/u2net.py, U2NET and U2NETP (xuebinqin/U-2-Net ac7e1c8)

import type { TensorSource } from "../../weights/source.ts";
import type { Weights } from "../../weights/weights.ts";
import { SyncHumanError } from "../error.ts";
import { type DType, describe, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
import { maxPool } from "../kernels/dense/maxPool.ts";
import { resize } from "../kernels/dense/resample.ts";
import type { ResizeMethod } from "../kernels/dense/resampleTables.ts";
import { declareConvolution, type Linear } from "../layers/linear.ts";

/** The stages in the order in which they run; the number is L of RSU-L, "flat" the dilated RSU-4F. */
export const u2netStages = Object.freeze({
	...{ stage1: 7, stage2: 6, stage3: 5, stage4: 4, stage5: "flat", stage6: "flat" },
	...{ stage5d: "flat", stage4d: 4, stage3d: 5, stage2d: 6, stage1d: 7 },
} as const);

/** Name of a stage. */
export type U2netStageName = keyof typeof u2netStages;

/** Stages in order. */
const u2netStageNames = Object.freeze(Object.keys(u2netStages)) as readonly U2netStageName[];

const encoderNames = ["stage1", "stage2", "stage3", "stage4", "stage5", "stage6"] as const;
const decoderNames = ["stage5d", "stage4d", "stage3d", "stage2d", "stage1d"] as const;

/** Stage that each side output reads, finest first. */
const sideStages = ["stage1d", "stage2d", "stage3d", "stage4d", "stage5d", "stage6"] as const;

/** Channels of a stage. */
export interface U2netStageConfig {
	readonly inChannels: number;
	readonly midChannels: number;
	readonly outChannels: number;
}

/** What distinguishes U2NET, U2NETP and smaller ones. */
export interface U2netConfig {
	readonly stages: Readonly<Record<U2netStageName, U2netStageConfig>>;
	/** How pictures are enlarged: PyTorch and newer ONNX files half-pixel, ONNX files before opset 11 asymmetric. */
	readonly upsampling: ResizeMethod;
}

/** The 3x3 convolutions inside a stage (and their dilation) in the order in which they run. */
function u2netStageConvolutions(stage: U2netStageName): readonly { readonly name: string; readonly dilation: number }[] {
	const kind = u2netStages[stage];
	const levels = kind === "flat" ? 4 : kind;
	const down = Array.from({ length: levels }, (_, i) => i + 1);
	const up = down.slice(0, -1).reverse();
	const dilation = (level: number) => (kind === "flat" ? 2 ** (level - 1) : level === levels ? 2 : 1);
	return [
		{ name: "rebnconvin", dilation: 1 },
		...down.map((level) => ({ name: `rebnconv${level}`, dilation: dilation(level) })),
		...up.map((level) => ({ name: `rebnconv${level}d`, dilation: dilation(level) })),
	];
}

/** Every convolution of the network by its name in the state dict, in the order in which they run. */
export function u2netConvolutions(): readonly { readonly name: string; readonly kernel: number; readonly dilation: number }[] {
	return [
		...u2netStageNames.flatMap((stage) =>
			u2netStageConvolutions(stage).map(({ name, dilation }) => ({ name: `${stage}.${name}.conv_s1`, kernel: 3, dilation })),
		),
		...sideStages.map((_, i) => ({ name: `side${i + 1}`, kernel: 3, dilation: 1 })),
		{ name: "outconv", kernel: 1, dilation: 1 },
	];
}

/** Channels as the shapes of the weights say. Throws code "checkpoint" where a stage is missing. */
export function u2netConfigOf(source: TensorSource, upsampling: ResizeMethod = "bilinear"): U2netConfig {
	const shape = (name: string): readonly number[] => {
		const found = source.entries?.get(`${name}.conv_s1.weight`)?.shape;
		if (found?.length === 4) return found;
		throw new SyncHumanError(
			"checkpoint",
			`${source.name}: is no U2NET: it has no convolution ${name}.conv_s1.weight`,
			"Give rembg's u2net.onnx or u2netp.onnx, or the official u2net.pth.",
		);
	};
	const stages = u2netStageNames.map((stage) => {
		const [outChannels, inChannels] = shape(`${stage}.rebnconvin`);
		const [midChannels] = shape(`${stage}.rebnconv1`);
		return [stage, { inChannels, midChannels, outChannels }] as const;
	});
	return { stages: Object.fromEntries(stages) as U2netConfig["stages"], upsampling };
}

/** The declared network; the norms are folded into the convolutions (weights/foldedConvolutions.ts). */
export interface U2net {
	readonly config: U2netConfig;
	/** By stage, then by name inside it. */
	readonly stages: Readonly<Record<U2netStageName, ReadonlyMap<string, Linear>>>;
	readonly sides: readonly Linear[];
	readonly outconv: Linear;
}

/** Declares every tensor; those of stages in `dtype`, what makes the logits in f32. */
export function declareU2net(weights: Weights, config: U2netConfig, dtype: DType): U2net {
	const stages = u2netStageNames.map((stage) => {
		const { inChannels, midChannels, outChannels } = config.stages[stage];
		const convolutions = u2netStageConvolutions(stage).map(({ name }, index, all) => {
			const input = index === 0 ? inChannels : index === 1 ? outChannels : name.endsWith("d") ? 2 * midChannels : midChannels;
			const output = index === 0 || index === all.length - 1 ? outChannels : midChannels;
			return [name, declareConvolution(weights.at(stage).at(name).at("conv_s1"), output, input, [3, 3], dtype)] as const;
		});
		return [stage, new Map(convolutions)] as const;
	});
	return {
		config,
		stages: Object.fromEntries(stages) as unknown as U2net["stages"],
		sides: sideStages.map((stage, i) => declareConvolution(weights.at(`side${i + 1}`), 1, config.stages[stage].outChannels, [3, 3], "f32")),
		outconv: declareConvolution(weights.at("outconv"), 1, sideStages.length, [1, 1], "f32"),
	};
}

/** [x, skip] side by side, x enlarged to skip's size. torch: cat((upsample(x, size), skip), 1). */
function recordJoined(graph: Graph, x: Tensor, skip: Tensor, method: ResizeMethod): Tensor {
	const [images, height, width, channels] = skip.shape;
	const inner = x.shape[3];
	const joined = graph.tensor("cat", skip.dtype, [images, height, width, inner + channels]);
	const enlarged = resize(graph, { x, extent: [height, width], method, label: "upsample" });
	copyColumns(graph, { x: enlarged, into: { tensor: joined }, label: "cat" });
	copyColumns(graph, { x: skip, into: { tensor: joined, column: inner }, label: "cat" });
	return joined;
}

/** RSU-L or RSU-4F: a small U-Net whose result is added to its first convolution's. */
function recordStage(graph: Graph, model: U2net, stage: U2netStageName, x: Tensor): Tensor {
	return graph.scope(stage, () => {
		const pooled = u2netStages[stage] !== "flat";
		const [first, ...others] = u2netStageConvolutions(stage);
		const record = ({ name, dilation }: typeof first, input: Tensor, residual?: Tensor) =>
			graph.tap(
				name,
				convolution(graph, {
					...(model.stages[stage].get(name) as Linear),
					x: input,
					padding: dilation,
					dilation,
					activation: "relu",
					...(residual && { residual }),
					label: name,
				}),
			);
		const start = record(first, x);
		const levels = (others.length + 1) / 2;
		const skips: Tensor[] = [];
		let current = start;
		for (let level = 0; level < levels; level++) {
			// The two lowest levels have one size.
			if (pooled && level > 0 && level < levels - 1) current = graph.tap(`pool${level}`, maxPool(graph, current, `pool${level}`));
			current = record(others[level], current);
			skips.push(current);
		}
		for (let level = levels - 2; level >= 0; level--) {
			const joined = recordJoined(graph, current, skips[level], model.config.upsampling);
			current = record(others[2 * levels - 2 - level], joined, level === 0 ? start : undefined);
		}
		return graph.tap("", current);
	});
}

/**
 * Logits of the seven saliency maps, each f32 [images, height, width, 1]: the fused one first (upstream's d0 before its sigmoid), then those of
 * the sides, finest first. Of normalised pixels [images, height, width, 3], rembg's 320 x 320. Throws where they have other channels.
 */
export function recordU2net(graph: Graph, model: U2net, pixels: Tensor): readonly Tensor[] {
	const [images, height, width, channels] = pixels.shape;
	const { upsampling } = model.config;
	if (channels !== model.config.stages.stage1.inChannels) throw new Error(`${graph.path}/u2net: pixels are ${describe(pixels)}`);
	const results = new Map<string, Tensor>();
	let x = pixels;
	for (const stage of encoderNames) {
		x = recordStage(graph, model, stage, stage === "stage1" ? x : maxPool(graph, x, "pool"));
		results.set(stage, x);
	}
	for (const stage of decoderNames) {
		const skip = results.get(stage.slice(0, -1)) as Tensor;
		x = recordStage(graph, model, stage, recordJoined(graph, x, skip, upsampling));
		results.set(stage, x);
	}
	const joined = graph.tensor("cat", "f32", [images, height, width, sideStages.length]);
	const sides = sideStages.map((stage, i) => {
		const name = `side${i + 1}`;
		const side = convolution(graph, {
			...model.sides[i],
			x: results.get(stage) as Tensor,
			padding: 1,
			outputDtype: "f32",
			label: name,
		});
		const enlarged = resize(graph, { x: graph.tap(name, side), extent: [height, width], method: upsampling, label: "upsample" });
		copyColumns(graph, { x: enlarged, into: { tensor: joined, column: i }, label: "cat" });
		return enlarged;
	});
	const fused = convolution(graph, { ...model.outconv, x: joined, outputDtype: "f32", label: "outconv" });
	return [graph.tap("outconv", fused), ...sides];
}

/** 1 / (1 + exp(-x)) in float32: what upstream does with the logits. */
export function sigmoid(logits: Float32Array): Float32Array {
	return logits.map((value) => 1 / (1 + Math.exp(-value)));
}

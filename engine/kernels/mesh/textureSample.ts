import { describe, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";
import type { TexturePyramid } from "./texturePyramid.ts";

/**
 * Colours f32 [n, 3] of a texture at `samples` u32 [n, 4]: bits of f32 u, v and level, and a colour that is not read here. Trilinear,
 * wrapping. Only the first `count` samples are looked up. nvdiffrast: `texture(filter_mode="linear-mipmap-linear")`.
 */
export function textureSample(graph: Graph, pyramid: TexturePyramid, samples: Tensor, count: number | Scalar = samples.shape[0]): Tensor {
	checkSamples("textureSample", samples);
	const values = graph.tensor("texture samples", "f32", [samples.shape[0], 3]);
	graph.dispatch({
		shader: "mesh/textureSample",
		tensors: { samples, levels: pyramid.table, pyramid: pyramid.values, values },
		params: { count, levelCount: pyramid.levels.length, zero: 0 },
		workgroups: foldedWorkgroups(Math.ceil(samples.shape[0] / 64)),
	});
	return values;
}

/** What `textureSampleGradient` needs. */
export interface TextureSampleGradientRequest {
	/** u32 [n, 4] bits of f32 u, v and level; colour r + 256 g + 65536 b. */
	readonly samples: Tensor;
	/** f32 [n, 3]: the derivative of the loss by each sampled value; or the sampled values themselves, see `comparesColors`. */
	readonly values: Tensor;
	/** Takes the derivative of `weight` * sum |values - colour / 255|. */
	readonly comparesColors: boolean;
	/** Needed where `comparesColors`. */
	readonly weight?: number | Scalar;
	/** See `fixedPoint`. */
	readonly scale: number | Scalar;
	readonly fineScale: number | Scalar;
	/** Only the first `count` samples add anything. */
	readonly count?: number | Scalar;
}

/** Adds what the samples' derivatives give the texels of every level to `pyramid.gradient`, in whole numbers: deterministic. */
export function textureSampleGradient(graph: Graph, pyramid: TexturePyramid, request: TextureSampleGradientRequest): void {
	const { samples, values, comparesColors, weight = 0, scale, fineScale, count = samples.shape[0] } = request;
	checkSamples("textureSampleGradient", samples);
	if (values.shape[0] !== samples.shape[0] || values.shape[1] !== 3) {
		throw new Error(`textureSampleGradient: values must be f32[${samples.shape[0]},3], got ${describe(values)}`);
	}
	graph.dispatch({
		shader: "mesh/textureSampleGradient",
		overrides: { comparesColors },
		tensors: { samples, levels: pyramid.table, values, gradient: pyramid.gradient },
		params: { count, levelCount: pyramid.levels.length, weight, scale, fineScale, zero: 0 },
		workgroups: foldedWorkgroups(Math.ceil(samples.shape[0] / 64)),
	});
}

/** Powers of two that turn weights into whole numbers whose sums fit an i32. */
export interface FixedPoint {
	readonly scale: number;
	readonly fineScale: number;
	readonly fineBits: number;
}

/** The finest fixed point for `samples` samples whose |derivatives|, summed over one channel, are at most `total`. */
export function fixedPoint(samples: number, total: number): FixedPoint {
	const fineBits = Math.min(12, 30 - Math.ceil(Math.log2(Math.max(1, samples))));
	return { scale: 2 ** (29 - Math.ceil(Math.log2(Math.max(2 ** -60, total)))), fineScale: 2 ** fineBits, fineBits };
}

function checkSamples(op: string, samples: Tensor): void {
	if (samples.shape.length !== 2 || samples.shape[1] !== 4) throw new Error(`${op}: samples must be u32[n,4], got ${describe(samples)}`);
}

import { describe, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";

/** One level of a texture's pyramid. */
export interface PyramidLevel {
	readonly width: number;
	readonly height: number;
	/** Texels of all levels before it. */
	readonly firstTexel: number;
}

/**
 * Sizes of a texture's box-filtered levels, the texture first: both sides are halved down to one texel, or until a side that is not 1 is
 * odd. nvdiffrast's and the reference's rule (reference/stage2/raster_ref.py, mip_chain).
 */
export function pyramidLevels(width: number, height: number): readonly PyramidLevel[] {
	const levels: PyramidLevel[] = [{ width, height, firstTexel: 0 }];
	for (;;) {
		const last = levels[levels.length - 1];
		const isOdd = (side: number) => side > 1 && side % 2 === 1;
		if ((last.width === 1 && last.height === 1) || isOdd(last.width) || isOdd(last.height)) return levels;
		const half = (side: number) => Math.max(1, side / 2);
		levels.push({ width: half(last.width), height: half(last.height), firstTexel: last.firstTexel + last.width * last.height });
	}
}

/** A texture with its coarser levels, and whole-number sums of its gradient. */
export interface TexturePyramid {
	readonly levels: readonly PyramidLevel[];
	/** f32 [texels of all levels, 3]. */
	readonly values: Tensor;
	/** i32 [texels of all levels, 3, 2] in fixed point, whole and fine part: zeros, to be added to. */
	readonly gradient: Tensor;
	/** u32 [levels, 4] first texel, width, height, and log2 of the texture's width and 256 times height as multiples of these. */
	readonly table: Tensor;
}

/** The levels of f32 `image` [height, width, 3], each the mean of 2 x 2 texels of the one before, and a gradient of zeros. */
export function texturePyramid(graph: Graph, image: Tensor): TexturePyramid {
	const [height, width, channels] = image.shape;
	if (image.shape.length !== 3 || channels !== 3)
		throw new Error(`texturePyramid: image must be f32[height,width,3], got ${describe(image)}`);
	const levels = pyramidLevels(width, height);
	const last = levels[levels.length - 1];
	const texels = last.firstTexel + last.width * last.height;
	const values = graph.tensor("pyramid", "f32", [texels, 3]);
	const gradient = graph.tensor("pyramid gradient", "i32", [texels, 3, 2]);
	for (let index = 0; index < levels.length; ) {
		const isBase = index === 0;
		// Level 0 comes from the texture, and four more with it; the others from the one before, four at once where its sides allow.
		const source = levels[Math.max(0, index - 1)];
		const written = levels.slice(isBase ? 1 : index, (isBase ? 1 : index) + 4);
		if (source.width % 16 === 0 && source.height % 16 === 0) {
			const [groupsAcross, groupsDown] = [source.width / 16, source.height / 16];
			const [a, b, c, d] = written.map(({ firstTexel }) => firstTexel * 3);
			graph.dispatch({
				shader: "mesh/texturePyramidLevels",
				overrides: { isBase },
				tensors: { image: isBase ? image : undefined, pyramid: values, gradient },
				params: {
					sourceOffset: source.firstTexel * 3,
					sourceWidth: source.width,
					groupsAcross,
					groupCount: groupsAcross * groupsDown,
					offsets: [a, b, c, d],
				},
				workgroups: foldedWorkgroups(groupsAcross * groupsDown),
			});
			index += isBase ? 5 : 4;
			continue;
		}
		const level = levels[index];
		const count = level.width * level.height * 3;
		graph.dispatch({
			shader: "mesh/texturePyramidLevel",
			overrides: { isBase },
			tensors: { image: isBase ? image : undefined, pyramid: values, gradient },
			params: {
				count,
				offset: level.firstTexel * 3,
				width: level.width,
				sourceOffset: source.firstTexel * 3,
				sourceWidth: source.width,
				factorX: source.width / level.width,
				factorY: source.height / level.height,
				share: (level.width * level.height) / (source.width * source.height),
			},
			workgroups: foldedWorkgroups(Math.ceil(count / 64)),
		});
		index++;
	}
	const table = graph.constant(`pyramid levels ${width} x ${height}`, "u32", [levels.length, 4], () =>
		Uint32Array.from(
			levels.flatMap((level) => [
				level.firstTexel,
				level.width,
				level.height,
				Math.log2(width / level.width) + 256 * Math.log2(height / level.height),
			]),
		),
	);
	return { levels, values, gradient, table };
}

/** How sums are turned back into numbers. */
export interface FixedPointInverse {
	/** 1 / scale, times any factor of the loss. */
	readonly inverseScale: number | Scalar;
	/** log2 of fineScale. */
	readonly fineBits: number | Scalar;
}

/**
 * The derivative of the texture itself, f32 [height, width, 3], from the sums of all levels. To be recorded after everything that adds to
 * `pyramid.gradient`.
 */
export function texturePyramidGradient(graph: Graph, pyramid: TexturePyramid, { inverseScale, fineBits }: FixedPointInverse): Tensor {
	const [{ width, height }] = pyramid.levels;
	const result = graph.tensor("texture gradient", "f32", [height, width, 3]);
	const count = width * height;
	graph.dispatch({
		shader: "mesh/texturePyramidGradient",
		tensors: { gradient: pyramid.gradient, levels: pyramid.table, result },
		params: { count, levelCount: pyramid.levels.length, inverseScale, fineBits },
		workgroups: foldedWorkgroups(Math.ceil(count / 64)),
	});
	return result;
}

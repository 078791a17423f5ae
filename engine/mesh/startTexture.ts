import type { TexturedMesh, TextureSamples } from "./textureSamples.ts";
import { interpolateUvs, rasterizeFaces } from "./triangleRaster.ts";

/** Weight, of a pixel that covers one texel, below which a texel's mean does not count; powers of 2 that a pixel loses per level. */
const [leastWeight, slant] = [0.0005, 6];

/**
 * A texture f32 [size, size, 3] (0..1, row 0 at v = 0) to begin a fit with: in each texel the mean of the pixels that look it up, those with
 * small footprints (seen face on) counting more; elsewhere the colours [v, 3] of the vertices, interpolated. Black outside the charts. `viewWeights`: how much
 * each view counts, 1 unless it is given.
 */
export function startTexture(
	{ uvs, faces }: TexturedMesh,
	colors: Float32Array,
	views: readonly TextureSamples[],
	size: number,
	viewWeights: readonly number[] = [],
): Float32Array {
	const texture = vertexColorTexture(uvs, faces, colors, size);
	const sums = new Float64Array(size * size * 4);
	for (const [view, { count, values }] of views.entries()) {
		const floats = new Float32Array(values.buffer, values.byteOffset, values.length);
		for (let i = 0; i < count * 4; i += 4) {
			const [u, v] = [floats[i], floats[i + 1]];
			if (u === 0 && v === 0) continue; // a pixel that no triangle covers
			const [x, y] = [u * size - 0.5, v * size - 0.5];
			const [left, bottom] = [Math.floor(x), Math.floor(y)];
			const weight = (viewWeights[view] ?? 1) * 2 ** (-slant * floats[i + 2]);
			for (let corner = 0; corner < 4; corner++) {
				const [column, row] = [left + (corner & 1), bottom + (corner >> 1)];
				if (column < 0 || row < 0 || column >= size || row >= size) continue;
				const share = weight * (corner & 1 ? x - left : left + 1 - x) * (corner >> 1 ? y - bottom : bottom + 1 - y);
				const at = (row * size + column) * 4;
				sums[at] += share * (values[i + 3] & 255);
				sums[at + 1] += share * ((values[i + 3] >>> 8) & 255);
				sums[at + 2] += share * ((values[i + 3] >>> 16) & 255);
				sums[at + 3] += share;
			}
		}
	}
	for (let texel = 0; texel < size * size; texel++) {
		const weight = sums[texel * 4 + 3];
		if (weight < leastWeight) continue;
		for (let c = 0; c < 3; c++) texture[texel * 3 + c] = sums[texel * 4 + c] / weight / 255;
	}
	return texture;
}

function vertexColorTexture(uvs: Float32Array, faces: Uint32Array, colors: Float32Array, size: number): Float32Array {
	const count = uvs.length / 2;
	const clip = new Float32Array(count * 4);
	const [redGreen, blue] = [new Float32Array(count * 2), new Float32Array(count * 2)];
	for (let vertex = 0; vertex < count; vertex++) {
		clip.set([uvs[vertex * 2] * 2 - 1, uvs[vertex * 2 + 1] * 2 - 1, 0, 1], vertex * 4);
		redGreen.set(colors.subarray(vertex * 3, vertex * 3 + 2), vertex * 2);
		blue[vertex * 2] = colors[vertex * 3 + 2];
	}
	const raster = rasterizeFaces(clip, faces, size, size);
	const texture = new Float32Array(size * size * 3);
	interpolateUvs(raster, clip, faces, redGreen, undefined, (texel, red, green) => {
		texture[texel * 3] = red;
		texture[texel * 3 + 1] = green;
	});
	interpolateUvs(raster, clip, faces, blue, undefined, (texel, value) => {
		texture[texel * 3 + 2] = value;
	});
	return texture;
}

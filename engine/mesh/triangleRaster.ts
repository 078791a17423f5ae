// Triangles to pixels on the host: coverage exact in float64 with the top-left rule, as reference/stage2/raster_ref.py (rasterize).
// Raster row 0 is at the bottom of clip space (y = -1); pixel centres lie at (2 i + 1) / size - 1.

const { fround } = Math;

/** Which triangle is nearest at each pixel. */
export interface FaceRaster {
	readonly width: number;
	readonly height: number;
	/** [height, width] 1 + index of the face, 0 where there is none. */
	readonly faces: Uint32Array;
}

/**
 * The homogeneous coordinates f32 [v, 4] of `positions` [v, 3] under the row-major matrices projection * view, in float32 with fused sums,
 * as torch multiplies matrices: bit for bit upstream's, where neighbouring texels can tell.
 */
export function clipPositions(positions: Float32Array, view: readonly number[], projection: readonly number[]): Float32Array {
	const m = new Float32Array(16);
	for (let i = 0; i < 16; i++)
		for (let k = 0; k < 4; k++) m[i] += fround(fround(projection[(i >> 2) * 4 + k]) * fround(view[k * 4 + (i & 3)]));
	const clip = new Float32Array((positions.length / 3) * 4);
	for (let from = 0, to = 0; from < positions.length; from += 3, to += 4) {
		for (let k = 0; k < 4; k++) {
			let sum = fround(positions[from] * m[k * 4]);
			sum = fround(sum + positions[from + 1] * m[k * 4 + 1]);
			sum = fround(sum + positions[from + 2] * m[k * 4 + 2]);
			clip[to + k] = sum + m[k * 4 + 3];
		}
	}
	return clip;
}

/**
 * The nearest face (least z / w) at every pixel centre; of equal depths the first face. `clip` [v, 4], `triangles` [f, 3], both sides are
 * drawn. Faces with a vertex at w <= 0, and points outside -1..1 in depth, are left out.
 */
export function rasterizeFaces(clip: Float32Array, triangles: Uint32Array, width: number, height: number): FaceRaster {
	const faces = new Uint32Array(width * height);
	const depth = new Float64Array(width * height).fill(Number.POSITIVE_INFINITY);
	const columns = pixelCenters(width);
	const rows = pixelCenters(height);
	for (let face = 0; face * 3 < triangles.length; face++) {
		const p0 = triangles[face * 3] * 4;
		const p1 = triangles[face * 3 + 1] * 4;
		const p2 = triangles[face * 3 + 2] * 4;
		const w0 = clip[p0 + 3];
		const w1 = clip[p1 + 3];
		const w2 = clip[p2 + 3];
		if (!(w0 > 0 && w1 > 0 && w2 > 0)) continue;
		const x0 = clip[p0];
		const x1 = clip[p1];
		const x2 = clip[p2];
		const y0 = clip[p0 + 1];
		const y1 = clip[p1 + 1];
		const y2 = clip[p2 + 1];
		const firstColumn = firstPixel(Math.min(x0 / w0, x1 / w1, x2 / w2), width);
		const lastColumn = lastPixel(Math.max(x0 / w0, x1 / w1, x2 / w2), width);
		if (!(firstColumn <= lastColumn)) continue;
		const firstRow = firstPixel(Math.min(y0 / w0, y1 / w1, y2 / w2), height);
		const lastRow = lastPixel(Math.max(y0 / w0, y1 / w1, y2 / w2), height);
		const z0 = clip[p0 + 2];
		const z1 = clip[p1 + 2];
		const z2 = clip[p2 + 2];
		for (let row = firstRow; row <= lastRow; row++) {
			const y = rows[row];
			const v0 = y0 - y * w0;
			const v1 = y1 - y * w1;
			const v2 = y2 - y * w2;
			for (let column = firstColumn; column <= lastColumn; column++) {
				const x = columns[column];
				const u0 = x0 - x * w0;
				const u1 = x1 - x * w1;
				const u2 = x2 - x * w2;
				const a = u1 * v2 - v1 * u2;
				const b = u2 * v0 - v2 * u0;
				if ((a < 0 && b > 0) || (a > 0 && b < 0)) continue;
				const c = u0 * v1 - v0 * u1;
				const area = a + b + c;
				if (area === 0) continue;
				if (area > 0 ? a < 0 || b < 0 || c < 0 : a > 0 || b > 0 || c > 0) continue;
				if (a === 0 || b === 0 || c === 0) {
					// A pixel exactly on an edge belongs to the triangle whose top or left edge it is.
					const sign = area > 0 ? 1 : -1;
					if (a === 0 && !isTopOrLeft((x2 / w2 - x1 / w1) * sign, (y2 / w2 - y1 / w1) * sign)) continue;
					if (b === 0 && !isTopOrLeft((x0 / w0 - x2 / w2) * sign, (y0 / w0 - y2 / w2) * sign)) continue;
					if (c === 0 && !isTopOrLeft((x1 / w1 - x0 / w0) * sign, (y1 / w1 - y0 / w0) * sign)) continue;
				}
				const z = (z0 * a + z1 * b + z2 * c) / (w0 * a + w1 * b + w2 * c);
				const pixel = row * width + column;
				if (z >= -1 && z <= 1 && z < depth[pixel]) {
					depth[pixel] = z;
					faces[pixel] = face + 1;
				}
			}
		}
	}
	return { width, height, faces };
}

function isTopOrLeft(x: number, y: number): boolean {
	return y < 0 || (y === 0 && x < 0);
}

/** Clip coordinates of pixel centres. */
function pixelCenters(size: number): Float64Array {
	return Float64Array.from({ length: size }, (_, i) => i * (2 / size) + (1 / size - 1));
}

function firstPixel(coordinate: number, size: number): number {
	return Math.max(0, Math.ceil(((coordinate + 1) * size - 1) / 2 - 1e-3));
}

function lastPixel(coordinate: number, size: number): number {
	return Math.min(size - 1, Math.floor(((coordinate + 1) * size - 1) / 2 + 1e-3));
}

/** Receives a pixel's texture coordinates and their derivatives by the pixel's column (X) and row (Y). */
export type PixelVisitor = (pixel: number, u: number, v: number, duDx: number, duDy: number, dvDx: number, dvDy: number) => void;

/**
 * Calls `visit` for every covered pixel that `wanted` (where given, [height, width]) marks, in order: perspective-correct `uvs` [v, 2] at
 * the pixel's centre. What nvdiffrast's rasterize and interpolate give with derivatives.
 */
export function interpolateUvs(
	raster: FaceRaster,
	clip: Float32Array,
	triangles: Uint32Array,
	uvs: Float32Array,
	wanted: Uint8Array | undefined,
	visit: PixelVisitor,
): void {
	const { faces } = raster;
	const interpolate = uvInterpolator(raster, clip, triangles, uvs, visit);
	for (let pixel = 0; pixel < faces.length; pixel++) {
		if (faces[pixel] !== 0 && (wanted === undefined || wanted[pixel] !== 0)) interpolate(pixel, faces[pixel] - 1);
	}
}

/** The same pixel by pixel, where `face` is seen. */
export function uvInterpolator(
	{ width, height }: Pick<FaceRaster, "width" | "height">,
	clip: Float32Array,
	triangles: Uint32Array,
	uvs: Float32Array,
	visit: PixelVisitor,
): (pixel: number, face: number) => void {
	const columns = pixelCenters(width);
	const rows = pixelCenters(height);
	return (pixel, face) => {
		const corner = face * 3;
		const i0 = triangles[corner];
		const i1 = triangles[corner + 1];
		const i2 = triangles[corner + 2];
		const x0 = clip[i0 * 4];
		const x1 = clip[i1 * 4];
		const x2 = clip[i2 * 4];
		const y0 = clip[i0 * 4 + 1];
		const y1 = clip[i1 * 4 + 1];
		const y2 = clip[i2 * 4 + 1];
		const w0 = clip[i0 * 4 + 3];
		const w1 = clip[i1 * 4 + 3];
		const w2 = clip[i2 * 4 + 3];
		const row = Math.floor(pixel / width);
		const x = columns[pixel - row * width];
		const y = rows[row];
		const u0 = x0 - x * w0;
		const u1 = x1 - x * w1;
		const u2 = x2 - x * w2;
		const v0 = y0 - y * w0;
		const v1 = y1 - y * w1;
		const v2 = y2 - y * w2;
		const a = u1 * v2 - v1 * u2;
		const b = u2 * v0 - v2 * u0;
		const inverse = 1 / (a + b + (u0 * v1 - v0 * u1));
		let b0 = Math.min(Math.max(a * inverse, 0), 1);
		let b1 = Math.min(Math.max(b * inverse, 0), 1);
		const excess = Math.max(b0 + b1, 1);
		b0 /= excess;
		b1 /= excess;
		// Minus the derivatives of a, b and the sum of all three by the pixel's clip coordinates.
		const aX = y2 * w1 - y1 * w2;
		const aY = x1 * w2 - x2 * w1;
		const bX = y0 * w2 - y2 * w0;
		const bY = x2 * w0 - x0 * w2;
		const sumX = aX + bX + (y1 * w0 - y0 * w1);
		const sumY = aY + bY + (x0 * w1 - x1 * w0);
		const scaleX = (2 / width) * inverse;
		const scaleY = (2 / height) * inverse;
		const b0X = fround(scaleX * (b0 * sumX - aX));
		const b0Y = fround(scaleY * (b0 * sumY - aY));
		const b1X = fround(scaleX * (b1 * sumX - bX));
		const b1Y = fround(scaleY * (b1 * sumY - bY));
		// From here on in float32, in upstream's order.
		const f0 = fround(b0);
		const f1 = fround(b1);
		const f2 = fround(fround(1 - f0) - f1);
		const s0 = uvs[i0 * 2];
		const s1 = uvs[i1 * 2];
		const s2 = uvs[i2 * 2];
		const t0 = uvs[i0 * 2 + 1];
		const t1 = uvs[i1 * 2 + 1];
		const t2 = uvs[i2 * 2 + 1];
		visit(
			pixel,
			fround(sum2(f0, s0, f1, s1) + fround(f2 * s2)),
			fround(sum2(f0, t0, f1, t1) + fround(f2 * t2)),
			sum2(b0X, fround(s0 - s2), b1X, fround(s1 - s2)),
			sum2(b0Y, fround(s0 - s2), b1Y, fround(s1 - s2)),
			sum2(b0X, fround(t0 - t2), b1X, fround(t1 - t2)),
			sum2(b0Y, fround(t0 - t2), b1Y, fround(t1 - t2)),
		);
	};
}

/** a b + c d in float32. */
function sum2(a: number, b: number, c: number, d: number): number {
	return fround(fround(a * b) + fround(c * d));
}

import type { PinholeCamera } from "../../engine/splat/cameras.ts";
import type { GaussianCloud } from "../../engine/splat/gaussianCloud.ts";

/** A Gaussian in a picture, float64. */
export interface ReferenceSplat {
	readonly x: number;
	readonly y: number;
	readonly depth: number;
	readonly conic: readonly [xx: number, xy: number, yy: number];
	readonly opacity: number;
	readonly radius: number;
	/** x0, y0, x1, y1 in tiles. */
	readonly rectangle: readonly [number, number, number, number];
	readonly color: readonly number[];
}

interface PictureOptions {
	readonly width: number;
	readonly height: number;
	readonly background?: readonly [number, number, number];
	readonly kernelSize?: number;
}

type Matrix = readonly (readonly number[])[];
const product = (a: Matrix, b: Matrix) => a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
const transposed = (a: Matrix) => a[0].map((_, j) => a.map((row) => row[j]));

/** Projection after reference/stage2/ARCHITECTURE.md section 9, with whole matrices; undefined where the Gaussian is not drawn. */
export function referenceSplat(
	cloud: GaussianCloud,
	index: number,
	{ extrinsics, intrinsics: { fx, fy, cx, cy } }: PinholeCamera,
	{ width, height, kernelSize = 0.1 }: PictureOptions,
): ReferenceSplat | undefined {
	const [px, py, pz] = cloud.positions.subarray(index * 3, index * 3 + 3);
	const [w, x, y, z] = cloud.rotations.subarray(index * 4, index * 4 + 4);
	const view = [0, 1, 2].map((row) => extrinsics.slice(row * 4, row * 4 + 4));
	const [tx, ty, tz] = view.map((row) => row[0] * px + row[1] * py + row[2] * pz + row[3]);
	if (tz <= 0.2) return undefined;
	const rotation = [
		[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
		[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
		[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
	];
	const scaled = rotation.map((row) => row.map((value, j) => value * cloud.scales[index * 3 + j]));
	const clamped = (value: number, f: number) => Math.min(Math.max(value, -0.65 / f), 0.65 / f);
	const [bx, by] = [clamped(tx / tz, fx), clamped(ty / tz, fy)];
	const jacobian = [
		[(width * fx) / tz, 0, (-width * fx * bx) / tz],
		[0, (height * fy) / tz, (-height * fy * by) / tz],
	];
	const toPixels = product(
		jacobian,
		view.map((row) => row.slice(0, 3)),
	);
	const covariance = product(product(toPixels, product(scaled, transposed(scaled))), transposed(toPixels));
	const [[a, b], [, c]] = covariance;
	const [wide, high] = [a + kernelSize, c + kernelSize];
	const [before, after] = [a * c - b * b, wide * high - b * b];
	const filtered = before <= 1e-6 || after <= 1e-6 ? 0 : Math.sqrt(before / (after + 1e-6) + 1e-6);
	const middle = (wide + high) / 2;
	const radius = Math.ceil(3 * Math.sqrt(middle + Math.sqrt(Math.max(0.1, middle * middle - after))));
	const column = ((fx * tx) / tz + cx) * width - 0.5;
	const row = ((fy * ty) / tz + cy) * height - 0.5;
	const tile = (value: number, side: number) => Math.min(Math.max(Math.trunc(value / 16), 0), Math.ceil(side / 16));
	const rectangle = [
		tile(column - radius, width),
		tile(row - radius, height),
		tile(column + radius + 15, width),
		tile(row + radius + 15, height),
	] as const;
	return {
		x: column,
		y: row,
		depth: tz,
		conic: [high / after, -b / after, wide / after],
		opacity: cloud.opacities[index] * filtered,
		radius,
		rectangle,
		color: [...cloud.featuresDc.subarray(index * 3, index * 3 + 3)].map((value) => Math.max(0, 0.28209479177387814 * value + 0.5)),
	};
}

/** Every Gaussian at every pixel, float64: colour, alpha and depth as `GaussianPicture` has them. */
export function splatReference(cloud: GaussianCloud, camera: PinholeCamera, options: PictureOptions) {
	const { width, height, background = [0, 0, 0] } = options;
	const splats = Array.from({ length: cloud.count }, (_, i) => referenceSplat(cloud, i, camera, options))
		.filter((splat) => splat !== undefined)
		.sort((a, b) => a.depth - b.depth);
	const color: number[] = [];
	const alpha: number[] = [];
	const depth: number[] = [];
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			let transmittance = 1;
			let depthSum = 0;
			const sum = [0, 0, 0];
			for (const splat of splats) {
				const [x0, y0, x1, y1] = splat.rectangle;
				const [column, row] = [Math.floor(x / 16), Math.floor(y / 16)];
				if (column < x0 || column >= x1 || row < y0 || row >= y1) continue;
				const [dx, dy] = [splat.x - x, splat.y - y];
				const power = -0.5 * (splat.conic[0] * dx * dx + splat.conic[2] * dy * dy) - splat.conic[1] * dx * dy;
				const a = Math.min(0.99, splat.opacity * Math.exp(power));
				if (power > 0 || a < 1 / 255) continue;
				if (transmittance * (1 - a) < 1e-4) break;
				for (let k = 0; k < 3; k++) sum[k] += splat.color[k] * a * transmittance;
				depthSum += splat.depth * a * transmittance;
				transmittance *= 1 - a;
			}
			color.push(...sum.map((value, k) => value + transmittance * background[k]));
			alpha.push(1 - transmittance);
			depth.push(transmittance < 1 ? depthSum / (1 - transmittance) : 0);
		}
	}
	return { color, alpha, depth };
}

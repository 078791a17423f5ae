import { type Image, imageOf } from "../../engine/image/image.ts";
import { bodyCameras } from "../../engine/mesh/bodyViews.ts";

// A mannequin that we drew ourselves: a walking figure of smoothly joined ellipsoids and capsules with painted clothes, and its ten views in
// stage 1's frames: z up, facing -y; back and left stand in the pixel frame of front and right; normals are (x, z, -y) of the world.

type Point = readonly [number, number, number];

/** Height of the figure, in the world's units. */
export const mannequinHeight = 0.935;

/** Joins two distances smoothly within `width`; Quilez' polynomial minimum. */
function joined(a: number, b: number, width: number): number {
	const h = Math.max(width - Math.abs(a - b), 0) / width;
	return Math.min(a, b) - (h * h * width) / 4;
}

function cone([x, y, z]: Point, a: Point, b: Point, radiusA: number, radiusB: number): number {
	const [ax, ay, az] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
	const t = Math.min(Math.max(((x - a[0]) * ax + (y - a[1]) * ay + (z - a[2]) * az) / (ax * ax + ay * ay + az * az), 0), 1);
	return Math.hypot(x - a[0] - t * ax, y - a[1] - t * ay, z - a[2] - t * az) - radiusA - t * (radiusB - radiusA);
}

/** About the distance to an ellipsoid. */
function ellipsoid([x, y, z]: Point, centre: Point, radii: Point): number {
	const p = [(x - centre[0]) / radii[0], (y - centre[1]) / radii[1], (z - centre[2]) / radii[2]];
	const k0 = Math.hypot(p[0], p[1], p[2]);
	const k1 = Math.hypot(p[0] / radii[0], p[1] / radii[1], p[2] / radii[2]);
	return k1 === 0 ? -Math.min(...radii) : (k0 * (k0 - 1)) / k1;
}

/** About the signed distance to the mannequin, negative inside. */
export function mannequinDistance(p: Point): number {
	const head = joined(ellipsoid(p, [0, -0.008, 0.4], [0.05, 0.058, 0.066]), ellipsoid(p, [0, -0.062, 0.393], [0.012, 0.016, 0.016]), 0.012);
	let body = joined(head, cone(p, [0, 0, 0.27], [0, -0.002, 0.36], 0.034, 0.03), 0.03);
	body = joined(body, ellipsoid(p, [0, 0, 0.21], [0.115, 0.068, 0.1]), 0.04);
	body = joined(body, ellipsoid(p, [0, 0.004, 0.08], [0.09, 0.062, 0.11]), 0.05);
	body = joined(body, ellipsoid(p, [0, 0.008, -0.01], [0.1, 0.068, 0.075]), 0.05);
	const limbs = [
		joined(
			cone(p, [0.115, 0, 0.255], [0.185, 0.02, 0.09], 0.037, 0.029),
			cone(p, [0.185, 0.02, 0.09], [0.215, -0.045, -0.05], 0.028, 0.02),
			0.02,
		),
		joined(
			cone(p, [-0.115, 0, 0.255], [-0.18, 0.03, 0.09], 0.037, 0.029),
			cone(p, [-0.18, 0.03, 0.09], [-0.205, 0.01, -0.06], 0.028, 0.02),
			0.02,
		),
		joined(
			cone(p, [0.052, 0.005, -0.03], [0.062, -0.05, -0.23], 0.058, 0.042),
			cone(p, [0.062, -0.05, -0.23], [0.066, -0.035, -0.43], 0.04, 0.027),
			0.03,
		),
		joined(
			cone(p, [-0.052, 0.005, -0.03], [-0.06, 0.025, -0.23], 0.058, 0.042),
			cone(p, [-0.06, 0.025, -0.23], [-0.064, 0.085, -0.42], 0.04, 0.027),
			0.03,
		),
	];
	for (const limb of limbs) body = joined(body, limb, 0.025);
	body = joined(body, ellipsoid(p, [0.221, -0.06, -0.083], [0.017, 0.023, 0.035]), 0.015);
	body = joined(body, ellipsoid(p, [-0.208, 0.005, -0.095], [0.017, 0.023, 0.035]), 0.015);
	body = joined(body, ellipsoid(p, [0.068, -0.065, -0.448], [0.034, 0.068, 0.024]), 0.02);
	return joined(body, ellipsoid(p, [-0.066, 0.06, -0.443], [0.034, 0.068, 0.024]), 0.02);
}

function normalAt([x, y, z]: Point): Point {
	const e = 1e-4;
	const n = [
		mannequinDistance([x + e, y, z]) - mannequinDistance([x - e, y, z]),
		mannequinDistance([x, y + e, z]) - mannequinDistance([x, y - e, z]),
		mannequinDistance([x, y, z + e]) - mannequinDistance([x, y, z - e]),
	];
	const length = Math.hypot(n[0], n[1], n[2]);
	return [n[0] / length, n[1] / length, n[2] / length];
}

/** sRGB of the painted surface: hair, skin, a striped shirt, a belt, checked trousers, shoes. All below 240. */
function paintAt([x, y, z]: Point): Point {
	const skin: Point = [214, 168, 140];
	const arm = Math.abs(x) > 0.128 + Math.max(0, z - 0.2) * 0.4;
	if (z > 0.425 || (z > 0.375 && y > -0.012)) return [70, 48, 36];
	if (z > 0.3) return skin;
	if (arm && z < -0.04) return skin;
	if (arm || z > 0.03) {
		const stripe = 0.5 + 0.5 * Math.sin(z * 160 + 8 * x);
		return [60 + 120 * stripe, 100 + 70 * stripe, 170 + 30 * stripe];
	}
	if (z > 0.005) return Math.abs(x) < 0.014 && y < 0 ? [200, 180, 90] : [40, 30, 26];
	if (z < -0.415) return [52, 40, 44];
	const check = Math.sin(x * 110) * Math.sin(z * 70) * Math.cos(y * 60);
	return [74 + 16 * check, 82 + 14 * check, 100 + 22 * check];
}

/** The nearest point of the figure that a body camera sees at (across, z) of its frame; undefined where there is none. */
export function mannequinHit(view: number, across: number, z: number): Point | undefined {
	const { direction, columnAxis } = bodyCameras[view];
	for (let t = 0.5; t > -0.5; ) {
		const p: Point = columnAxis === 0 ? [across, direction[1] * t, z] : [direction[0] * t, across, z];
		const distance = mannequinDistance(p);
		if (distance < 2e-5) return p;
		t -= Math.max(distance * 0.7, 1e-5);
	}
	return undefined;
}

/** The five colour and five normal views of `size` pixels a side; every pixel shows what lies at its centre. */
export function mannequinViews(size: number): { readonly colors: readonly Image[]; readonly normals: readonly Image[] } {
	const colors: Image[] = [];
	const normals: Image[] = [];
	for (let view = 0; view < 5; view++) {
		const isFace = view === 4;
		const [color, normal] = [new Uint8Array(size * size * 3).fill(255), new Uint8Array(size * size * 3).fill(255)];
		for (let pixel = 0; pixel < size * size; pixel++) {
			const [u, v] = [((pixel % size) + 0.5) / size, (Math.floor(pixel / size) + 0.5) / size];
			const hit = isFace ? mannequinHit(0, (u - 0.5) / 3, 0.5 - v / 3) : mannequinHit(view, u - 0.5, 0.5 - v);
			if (hit === undefined) continue;
			const [x, y, z] = normalAt(hit);
			color.set(paintAt(hit).map(Math.round), pixel * 3);
			normal.set(
				[x, z, -y].map((value) => Math.round((value + 1) * 127.5)),
				pixel * 3,
			);
		}
		colors.push(imageOf(size, size, 3, color));
		normals.push(imageOf(size, size, 3, normal));
	}
	return { colors, normals };
}

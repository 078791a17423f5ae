import { bodyCoordinates } from "../../engine/random/bodyGeometry.ts";

/** Shells of the synthetic body, one batch element after the other, as rows (batch, x, y, z). */
export function bodyVoxels(
	shells: readonly { readonly resolution: number; readonly height: number; readonly halfThickness: number }[],
): Int32Array {
	const parts = shells.map((shell, batch) => bodyCoordinates(shell).map((value, index) => (index % 4 === 0 ? batch : value)));
	const coords = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
	let start = 0;
	for (const part of parts) {
		coords.set(part, start);
		start += part.length;
	}
	return coords;
}

/** The same rows in a fixed disorder. */
export function shuffled(coords: Int32Array): Int32Array {
	const count = coords.length / 4;
	const out = new Int32Array(coords.length);
	let step = Math.floor(count * 0.618) | 1;
	while (greatestCommonDivisor(step, count) !== 1) step++;
	for (let row = 0; row < count; row++) out.set(coords.subarray(row * 4, row * 4 + 4), ((row * step) % count) * 4);
	return out;
}

function greatestCommonDivisor(a: number, b: number): number {
	return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Row of each voxel by its coordinates as text: slow and obvious. */
export function rowsByName(coords: Int32Array): Map<string, number> {
	const rows = new Map<string, number>();
	for (let row = 0; row < coords.length / 4; row++) rows.set(coords.subarray(row * 4, row * 4 + 4).join(), row);
	return rows;
}

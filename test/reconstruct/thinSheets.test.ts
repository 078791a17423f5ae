import { expect, it } from "vitest";
import { addThinSheets } from "../../engine/reconstruct/thinSheets.ts";

const [side, size] = [33, 64];
const cube = 1 / (side - 1);

/** Signed distance, in pixels, to rectangles (left, top, right, bottom) of a picture. */
function rectangles(...boxes: readonly (readonly [number, number, number, number])[]): Float32Array {
	return Float32Array.from({ length: size * size }, (_, pixel) => {
		const [x, y] = [(pixel % size) + 0.5, Math.floor(pixel / size) + 0.5];
		return Math.min(...boxes.map(([left, top, right, bottom]) => Math.max(left - x, x - right, top - y, y - bottom)));
	});
}

/** The box |x| < 0.2, |y - 0.1| < 0.15, |z| < 0.4 as a field. */
function boxField(): Float32Array {
	return Float32Array.from({ length: side ** 3 }, (_, i) => {
		const [x, y, z] = [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side].map((k) => k * cube - 0.5);
		return Math.max(Math.abs(x) - 0.2, Math.abs(y - 0.1) - 0.15, Math.abs(z) - 0.4);
	});
}
const [width, depth] = [
	[19.2, 6.4, 44.8, 57.6],
	[28.8, 6.4, 48, 57.6],
] as const;

it("leaves a field alone that explains its silhouettes", () => {
	const field = boxField();
	const { columns } = addThinSheets(field, side, [rectangles(width), rectangles(depth)], size);
	expect(columns.map((sheet) => sheet.reduce((sum, value) => sum + value, 0))).toEqual([0, 0]);
	expect(field).toEqual(boxField());
});

it("gives a part that only front and back show a sheet as far away as the body beside it", () => {
	const field = boxField();
	const fin = [44.8, 40, 56, 50] as const;
	const { columns } = addThinSheets(field, side, [rectangles(width, fin), rectangles(depth)], size);
	expect(columns[1].includes(1)).toBe(false);
	const inside = (x: number, y: number, z: number) =>
		field[(Math.round((x + 0.5) / cube) * side + Math.round((y + 0.5) / cube)) * side + Math.round((z + 0.5) / cube)] < 0;
	expect(inside(0.3, 0.1, -0.2)).toBe(true);
	expect(inside(0.3, 0.1 + 2 * cube, -0.2)).toBe(false);
	expect(inside(0.3, 0.1 - 2 * cube, -0.2)).toBe(false);
	expect(inside(0.3, 0.1, 0.1)).toBe(false); // beside the fin
	expect(inside(0.45, 0.1, -0.2)).toBe(false); // beyond it
	expect(columns[0][Math.round(0.8 / cube) * side + Math.round(0.3 / cube)]).toBe(1);
	// It holds on to the body.
	for (let x = 0; x < 0.36; x += cube) expect(inside(x, 0.1, -0.2)).toBe(true);
});

it("leaves out what is a rim, or hangs on nothing", () => {
	const rim = boxField();
	addThinSheets(rim, side, [rectangles([19.2, 6.4, 47, 57.6]), rectangles(depth)], size);
	expect(rim).toEqual(boxField());
	const apart = boxField();
	addThinSheets(apart, side, [rectangles(width, [52, 20, 62, 40]), rectangles(depth)], size);
	expect(apart).toEqual(boxField());
});

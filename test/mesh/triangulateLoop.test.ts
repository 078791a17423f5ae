import { expect, it } from "vitest";
import { triangulateLoop } from "../../engine/mesh/triangulateLoop.ts";

const area = (points: readonly number[], triangles: Uint32Array) => {
	let sum = 0;
	for (let i = 0; i < triangles.length; i += 3) {
		const [a, b, c] = [...triangles.subarray(i, i + 3)].map((p) => points.slice(p * 3, p * 3 + 3));
		sum += ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2;
	}
	return sum;
};

it("fills a flat loop with a corner inwards exactly once", () => {
	const points = [0, 0, 0, 4, 0, 0, 4, 1, 0, 1, 1, 0, 1, 4, 0, 0, 4, 0];
	const triangles = triangulateLoop(points, () => true);
	if (triangles === undefined) throw new Error("no triangulation");
	expect(triangles).toHaveLength(12);
	expect(area(points, triangles)).toBeCloseTo(7, 12);
});

it("avoids chords that may not be used", () => {
	const square = [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0];
	const without = (i: number, j: number) => triangulateLoop(square, (a, b) => a !== i || b !== j);
	expect([...(without(0, 2) ?? [])].filter((p) => p === 0)).toHaveLength(1);
	expect([...(without(1, 3) ?? [])].filter((p) => p === 1)).toHaveLength(1);
	expect(triangulateLoop(square, () => false)).toBeUndefined();
});

it("takes a loop of 136 points in a fraction of a second", () => {
	const points = Array.from({ length: 136 }, (_, i) => [Math.cos((i * Math.PI) / 68), Math.sin((i * Math.PI) / 68), 0]).flat();
	const triangles = triangulateLoop(points, () => true);
	expect(triangles).toHaveLength(134 * 3);
	expect(area(points, triangles ?? new Uint32Array(0))).toBeCloseTo((136 / 2) * Math.sin((2 * Math.PI) / 136), 9);
});

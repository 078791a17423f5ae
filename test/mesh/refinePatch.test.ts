import { expect, it } from "vitest";
import { refinePatch } from "../../engine/mesh/refinePatch.ts";
import { triangulateLoop } from "../../engine/mesh/triangulateLoop.ts";

const count = 40;
const points = Array.from({ length: count }, (_, i) => [
	Math.cos((i * 2 * Math.PI) / count),
	Math.sin((i * 2 * Math.PI) / count),
	0,
]).flat();
const side = 2 * Math.sin(Math.PI / count);
const triangles = triangulateLoop(points, () => true) ?? new Uint32Array(0);
const patchWith = (edge: number) => ({ points, edgeLengths: Array<number>(count).fill(edge), triangles, isTaken: () => false });

it("fills a circle with triangles as long as its edges, each with its direction and each edge with two faces", () => {
	const refined = refinePatch(patchWith(side));
	const all = points.slice();
	for (let i = 0; i < refined.parents.length; i += 3) {
		const corners = refined.parents.slice(i, i + 3);
		for (let axis = 0; axis < 3; axis++) all.push(corners.reduce((sum, p) => sum + all[p * 3 + axis], 0) / 3);
	}
	expect(refined.triangles.length / 3).toBe(count - 2 + (2 * refined.parents.length) / 3);
	const directed = new Set<string>();
	let area = 0;
	for (let i = 0; i < refined.triangles.length; i += 3) {
		const [a, b, c] = refined.triangles.slice(i, i + 3);
		for (const edge of [`${a} ${b}`, `${b} ${c}`, `${c} ${a}`]) {
			expect(directed.has(edge)).toBe(false);
			directed.add(edge);
		}
		const twice =
			(all[b * 3] - all[a * 3]) * (all[c * 3 + 1] - all[a * 3 + 1]) - (all[b * 3 + 1] - all[a * 3 + 1]) * (all[c * 3] - all[a * 3]);
		expect(twice).toBeGreaterThan(0);
		area += twice / 2;
	}
	expect(area).toBeCloseTo((count / 2) * Math.sin((2 * Math.PI) / count), 9);
	const equilateral = (Math.sqrt(3) / 4) * side ** 2;
	expect(area / (refined.triangles.length / 3) / equilateral).toBeGreaterThan(0.6);
	expect(area / (refined.triangles.length / 3) / equilateral).toBeLessThan(2.5);
});

it("adds nothing where the surface around is coarse, and is the same every time", () => {
	expect(refinePatch(patchWith(3)).parents).toEqual([]);
	expect(refinePatch(patchWith(side))).toEqual(refinePatch(patchWith(side)));
});

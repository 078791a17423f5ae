import { describe, expect, it } from "vitest";
import { cubeCorners, cubeEdges, flexicubesTables, generateFlexicubesTables } from "../../engine/mesh/flexicubesTables.ts";

const { loopCount, loopEdges, loopOfEdge, ambiguousFace } = flexicubesTables;
const edgesOf = (mask: number) => cubeEdges.flatMap((_, edge) => ((mask >> edge) & 1 ? [edge] : []));

describe("flexicubesTables", () => {
	it("has twelve different edges between corners that differ in one coordinate", () => {
		expect(new Set(cubeEdges.map(([a, b]) => Math.min(a, b) * 8 + Math.max(a, b))).size).toBe(12);
		for (const [a, b] of cubeEdges) expect(cubeCorners[a].filter((v, axis) => v !== cubeCorners[b][axis]).length).toBe(1);
	});

	it("puts every crossed edge of a case, and no other, into exactly one loop of 3 to 7 edges", () => {
		for (let cubeCase = 0; cubeCase < 256; cubeCase++) {
			const crossed = cubeEdges.flatMap(([a, b], edge) => (((cubeCase >> a) ^ (cubeCase >> b)) & 1 ? [edge] : []));
			const loops = [0, 1, 2, 3].map((loop) => edgesOf(loopEdges[cubeCase * 4 + loop]));
			expect(loops.flat().sort((a, b) => a - b)).toEqual(crossed);
			expect(loops.filter((loop) => loop.length > 0).length).toBe(loopCount[cubeCase]);
			for (const loop of loops.slice(0, loopCount[cubeCase])) expect(loop.length >= 3 && loop.length <= 7).toBe(true);
			cubeEdges.forEach((_, edge) => {
				expect(loopOfEdge[cubeCase * 12 + edge]).toBe(crossed.includes(edge) ? loops.findIndex((loop) => loop.includes(edge)) : 255);
			});
		}
	});

	it("separates inside corners on ambiguous faces", () => {
		expect(loopCount[0]).toBe(0);
		expect(loopCount[255]).toBe(0);
		expect(edgesOf(loopEdges[1 * 4])).toEqual([0, 3, 8]); // corner 0 alone
		expect(loopCount[0b01101001]).toBe(4); // four corners, no two adjacent
		expect(loopCount[0b00001001]).toBe(2); // corners 0 and 3, diagonal on the face z = 0
		expect(loopCount[255 - 0b00001001]).toBe(1); // its complement is one loop of six edges
		expect(edgesOf(loopEdges[(255 - 0b00001001) * 4]).length).toBe(6);
	});

	it("swaps the loops of case 231 only", () => {
		expect(edgesOf(loopEdges[231 * 4])).toEqual([4, 5, 9]);
		const lowestInside = (cubeCase: number, mask: number) =>
			Math.min(...edgesOf(mask).flatMap((edge) => cubeEdges[edge].filter((corner) => (cubeCase >> corner) & 1)));
		const swapped = [];
		for (let cubeCase = 0; cubeCase < 256; cubeCase++) {
			const lowest = Array.from({ length: loopCount[cubeCase] }, (_, loop) => lowestInside(cubeCase, loopEdges[cubeCase * 4 + loop]));
			if (lowest.some((value, i) => i > 0 && value < lowest[i - 1])) swapped.push(cubeCase);
		}
		expect(swapped).toEqual([231]);
	});

	it("flags the 36 cases with one ambiguous face and one loop", () => {
		const flagged = [...ambiguousFace.keys()].filter((cubeCase) => ambiguousFace[cubeCase] !== 255);
		expect(flagged.length).toBe(36);
		expect(flagged.every((cubeCase) => loopCount[cubeCase] === 1)).toBe(true);
		expect(ambiguousFace[255 - 0b00001001]).toBe(4); // axis z, side 0
		expect(ambiguousFace[255 - 0b10010000]).toBe(5);
	});

	it("is generated the same every time", () => {
		expect(generateFlexicubesTables()).toEqual(flexicubesTables);
	});
});

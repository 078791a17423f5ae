import { expect, it } from "vitest";
import { writeVoxelPly } from "../../engine/mesh/ply.ts";

it("writes centres, corners and quads as the official stage 1 does", () => {
	const text = new TextDecoder().decode(writeVoxelPly(Int32Array.of(0, 2, 63, 10, 0, 0)));
	const lines = text.split("\n");
	expect(lines.slice(0, 10)).toEqual([
		"ply",
		"format ascii 1.0",
		"element vertex 18",
		"comment vertices",
		"property float x",
		"property float y",
		"property float z",
		"element face 12",
		"property list uchar int vertex_indices",
		"end_header",
	]);
	expect(lines.slice(10, 16)).toEqual(["0 2 63", "10 0 0", "-0.5 1.5 62.5", "0.5 1.5 62.5", "-0.5 2.5 62.5", "0.5 2.5 62.5"]);
	expect(lines[20]).toBe("9.5 -0.5 -0.5");
	expect(lines.slice(28, 34)).toEqual(["4 4 5 3 2", "4 6 7 9 8", "4 5 4 8 9", "4 2 3 7 6", "4 4 2 6 8", "4 3 5 9 7"]);
	expect(lines[34]).toBe("4 12 13 11 10");
	expect(lines.length).toBe(10 + 18 + 12 + 1);
	expect(text.endsWith("\n")).toBe(true);
});

it("winds the quads counter-clockwise seen from outside", () => {
	const lines = new TextDecoder()
		.decode(writeVoxelPly(Int32Array.of(0, 0, 0)))
		.trim()
		.split("\n")
		.slice(10);
	const points = lines.slice(0, 9).map((line) => line.split(" ").map(Number));
	const signs = lines.slice(9).map((line) => {
		const [a, b, c, d] = line
			.split(" ")
			.slice(1)
			.map((index) => points[Number(index)]);
		const [u, v] = [b.map((value, k) => value - a[k]), d.map((value, k) => value - a[k])];
		const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
		return Math.sign(normal.reduce((sum, value, k) => sum + value * (a[k] + c[k]), 0));
	});
	expect(signs).toEqual([1, 1, 1, 1, 1, 1]);
});

it("takes no voxels and refuses broken coordinates", () => {
	expect(new TextDecoder().decode(writeVoxelPly(new Int32Array(0)))).toContain("element vertex 0\n");
	expect(() => writeVoxelPly(Int32Array.of(1, 2))).toThrow("[n, 3]");
});

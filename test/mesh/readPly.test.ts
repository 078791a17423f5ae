import { expect, it } from "vitest";
import { writeVoxelPly } from "../../engine/mesh/ply.ts";
import { meshOfPly, readPly } from "../../engine/mesh/readPly.ts";

const text = (...lines: string[]) => new TextEncoder().encode(`${lines.join("\n")}\n`);

it("reads our own voxels: text, quads as two triangles", () => {
	const content = readPly(writeVoxelPly(Int32Array.of(1, 2, 3)), "v.ply");
	expect(content.count).toBe(9);
	const mesh = meshOfPly(content, "v.ply", false);
	expect(mesh?.faces.length).toBe(12 * 3);
	expect([...(mesh?.positions ?? []).slice(0, 6)]).toEqual([1, 2, 3, 0.5, 1.5, 2.5]);
	expect(mesh?.colors).toBeUndefined();
});

it.each([true, false])("reads binary files with colours and other elements, little endian %s", (isLittle) => {
	const head = [
		"ply",
		`format binary_${isLittle ? "little" : "big"}_endian 1.0`,
		"element camera 1",
		"property double f",
		"element vertex 3",
		...["x", "y", "z"].map((name) => `property float ${name}`),
		...["red", "green", "blue"].map((name) => `property uchar ${name}`),
		"element face 1",
		"property list uchar int vertex_indices",
		"end_header",
	];
	const start = text(...head);
	const file = new Uint8Array(start.length + 8 + 3 * 15 + 13);
	file.set(start);
	const view = new DataView(file.buffer, start.length);
	for (let v = 0; v < 3; v++) {
		for (let k = 0; k < 3; k++) view.setFloat32(8 + v * 15 + k * 4, v * 3 + k, isLittle);
		for (let k = 0; k < 3; k++) view.setUint8(8 + v * 15 + 12 + k, 51 * k);
	}
	view.setUint8(8 + 45, 3);
	[0, 2, 1].forEach((vertex, i) => {
		view.setInt32(8 + 46 + i * 4, vertex, isLittle);
	});
	const mesh = meshOfPly(readPly(file, "b.ply"), "b.ply", true);
	expect([...(mesh?.faces ?? [])]).toEqual([0, 2, 1]);
	expect([...(mesh?.positions ?? [])]).toEqual([0, -2, 1, 3, -5, 4, 6, -8, 7]);
	expect([...(mesh?.colors ?? [])].slice(0, 3).map((value) => Math.round(value * 10))).toEqual([0, 2, 4]);
	expect(() => readPly(file.subarray(0, file.length - 1), "b.ply")).toThrow('b.ply: ends in row 0 of its element "face"');
});

it("refuses other files with what is wrong", () => {
	const refused = (...lines: string[]) => expect(() => readPly(text(...lines), "x.ply"));
	refused("solid").toThrow("x.ply: is not a PLY file");
	refused("ply", "format xml 1.0", "end_header").toThrow("has the format xml");
	refused("ply", "format ascii 1.0", "element vertex -1", "end_header").toThrow('has -1 rows of "vertex"');
	refused("ply", "format ascii 1.0", "element vertex 1", "property quad x", "end_header").toThrow('unknown type "quad"');
	refused("ply", "format ascii 1.0", "element vertex 99999", "property float x", "end_header").toThrow("cannot hold 99999 vertices");
	const triangle = ["ply", "format ascii 1.0", "element vertex 1", "property float x", "element face 1"];
	refused(...triangle, "property list uchar int vertex_index", "end_header", "0", "3 0 0 7").toThrow("names vertex 7 of 1");
	const flat = readPly(text(...triangle, "property list uchar int vertex_index", "end_header", "0", "3 0 0 0"), "x.ply");
	expect(() => meshOfPly(flat, "x.ply", true)).toThrow("x.ply: its vertices have no x, y and z");
});

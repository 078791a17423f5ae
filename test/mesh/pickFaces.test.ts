import { expect, it } from "vitest";
import { pickFaces } from "../../engine/mesh/pickFaces.ts";

const mesh = {
	positions: Float32Array.from({ length: 15 }, (_, i) => i),
	faces: Uint32Array.of(0, 1, 2, 1, 4, 3),
	colors: Float32Array.from({ length: 15 }, (_, i) => i / 15),
};

it("keeps the vertices of the kept faces, in their order", () => {
	const picked = pickFaces(mesh, Uint8Array.of(0, 1));
	expect([...picked.faces]).toEqual([0, 2, 1]);
	expect([...picked.positions]).toEqual([3, 4, 5, 9, 10, 11, 12, 13, 14]);
	expect(picked.colors).toEqual(picked.positions.map((value) => value / 15));
	expect(pickFaces(mesh, Uint8Array.of(1, 1))).toBe(mesh);
});

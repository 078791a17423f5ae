import { expect, it } from "vitest";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { meshEdges } from "../../engine/mesh/meshEdges.ts";
import { simplifiedFaceCount, simplifyMesh } from "../../engine/mesh/simplify.ts";
import { ballMesh } from "../support/ballMesh.ts";

const ball = ballMesh([0, 0, 0], 0.4, 32);
const faces = ball.faces.length / 3;
const colored: Mesh = { ...ball, colors: ball.positions.map((value) => (value > 0 ? 1 : 0)) };

for (const mesh of [ball, colored]) {
	it(`keeps 30 % of a ball's faces, its shape and ${mesh.colors ? "its colours" : "no colours"}, twice the same`, async () => {
		const target = simplifiedFaceCount(0.3, faces);
		const { mesh: simple, error } = await simplifyMesh(mesh, target);
		expect(Math.abs(simple.faces.length / 3 - target)).toBeLessThanOrEqual(4);
		expect(meshEdges(simple.faces).degrees.every((degree) => degree === 2)).toBe(true);
		expect(error).toBeGreaterThan(0);
		expect(error).toBeLessThan(0.02);
		for (let v = 0; v < simple.positions.length; v += 3) expect(Math.hypot(...simple.positions.subarray(v, v + 3))).toBeCloseTo(0.4, 6);
		expect(simple.colors).toEqual(mesh.colors && simple.positions.map((value) => (value > 0 ? 1 : 0)));
		expect(await simplifyMesh(mesh, target)).toEqual({ mesh: simple, error });
	});
}

it("gives a mesh that is small enough back", async () => {
	expect((await simplifyMesh(ball, faces)).mesh).toBe(ball);
});

it("reads shares and numbers of faces", () => {
	expect(simplifiedFaceCount(0.3, 1000)).toBe(300);
	expect(simplifiedFaceCount(1, 1000)).toBe(1000);
	expect(simplifiedFaceCount(20_000, 1000)).toBe(1000);
	expect(simplifiedFaceCount(250, 1000)).toBe(250);
	for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
		expect(() => simplifiedFaceCount(value, 1000)).toThrow("simplify: must be");
});

it("refuses an empty mesh", async () => {
	await expect(simplifyMesh({ ...ball, faces: new Uint32Array(0) }, 10)).rejects.toMatchObject({ code: "input" });
});

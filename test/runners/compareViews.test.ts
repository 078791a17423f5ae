import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { compareViews, piecesOf } from "../../runners/compareViews.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";
import { testDevice } from "../support/gpu.ts";

const ball = ballMesh([0, 0, 0], 0.4, 40);

it("finds a ball of one colour in views of it, and misses what differs", async () => {
	const size = 64;
	const normals = ellipsoidViews(size, [0.4, 0.4, 0.4]).map(({ normal }) => imageOf(size, size, 3, normal));
	const grey = (level: number) => imageOf(size, size, 3, new Uint8Array(size * size * 3).fill(level));
	const colored = { ...ball, colors: new Float32Array(ball.positions.length).fill(100 / 255) };
	const colors = [grey(100), grey(110), grey(100), grey(100)];
	const found = await compareViews(await testDevice(), [colored], { colors, normals });
	expect(found.map(({ view }) => view)).toEqual(["front", "right", "back", "left"]);
	for (const { overlap } of found) expect(overlap).toBeGreaterThan(0.97);
	expect(found[0].psnr).toBeGreaterThan(45);
	expect(found[1].psnr).toBeCloseTo(20 * Math.log10(25.5), 0);
});

it("counts pieces and open edges over seams", () => {
	const both = joinMeshes(ball, ballMesh([1, 0, 0], 0.1, 5));
	expect(piecesOf([both])).toEqual({ pieces: 2, boundaryEdges: 0 });
	// Every face with corners of its own, one face left out.
	const positions = Float32Array.from([...ball.faces].flatMap((vertex) => [...ball.positions.subarray(vertex * 3, vertex * 3 + 3)]));
	const faces = Uint32Array.from(ball.faces.keys()).slice(3);
	expect(piecesOf([{ positions, faces }])).toEqual({ pieces: 1, boundaryEdges: 3 });
});

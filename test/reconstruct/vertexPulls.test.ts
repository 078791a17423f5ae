import { expect, it } from "vitest";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { bodySilhouettes } from "../../engine/reconstruct/bodySilhouettes.ts";
import { normalPyramid } from "../../engine/reconstruct/normalFlow.ts";
import { contourPulls, flowPulls } from "../../engine/reconstruct/vertexPulls.ts";
import { drawnNormals, normalMapOf, twoBalls } from "../support/twoBalls.ts";

const size = 96;
const seen = [0, 1, 2, 3].map((view) => normalMapOf(drawnNormals(twoBalls(0.06), view, size)));
const distances = bodySilhouettes([seen[0], seen[1], seen[2], seen[3]]);
const mesh = twoBalls(0);
const normals = vertexNormals(mesh);
/** Vertices of the small ball that the front sees well. */
const small = Array.from({ length: mesh.positions.length / 3 }, (_, i) => i).filter(
	(i) => i >= 49 * 25 && normals[i * 3 + 1] < -0.7 && mesh.positions[i * 3 + 1] < -0.35,
);
const noPulls = () => ({ weights: new Float32Array(mesh.positions.length), goals: mesh.positions.slice() });
const request = { pyramids: seen.map((view) => normalPyramid(view, size)), distances, isHeld: new Uint8Array(normals.length / 3) };

it("draws what stands before the body to where the front shows it, and leaves its depth alone", () => {
	const pulls = noPulls();
	flowPulls(mesh, normals, request, pulls);
	let [sum, count] = [0, 0];
	for (const i of small) {
		if (pulls.weights[i * 3] === 0) continue;
		sum += pulls.goals[i * 3] - mesh.positions[i * 3];
		count++;
	}
	expect(count).toBeGreaterThan(small.length / 2);
	expect(Math.abs(sum / count - 0.06)).toBeLessThan(0.015);
	for (const i of small) expect(Math.abs(pulls.goals[i * 3 + 1] - mesh.positions[i * 3 + 1])).toBeLessThan(0.02);
});

it("does not move what is held", () => {
	const pulls = noPulls();
	flowPulls(mesh, normals, { ...request, isHeld: new Uint8Array(normals.length / 3).fill(1) }, pulls);
	expect(pulls.weights.every((weight) => weight === 0)).toBe(true);
});

it("draws rims, and what lies outside, to the silhouettes", () => {
	const grown = { ...mesh, positions: mesh.positions.map((value) => value * 1.05) };
	const { weights, goals } = contourPulls(grown.positions, normals, size, distances);
	// The large ball's right edge, 0.3675 from the axis, belongs at 0.35.
	let edge = 0;
	for (let i = 0; i < 49 * 25; i++) if (grown.positions[i * 3] > grown.positions[edge * 3]) edge = i;
	expect(weights[edge * 3]).toBeGreaterThan(1);
	expect(Math.abs(goals[edge * 3] - 0.35)).toBeLessThan(0.008);
});

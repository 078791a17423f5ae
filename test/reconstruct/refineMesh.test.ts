import { expect, it } from "vitest";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { bodySilhouettes } from "../../engine/reconstruct/bodySilhouettes.ts";
import { refineMesh } from "../../engine/reconstruct/refineMesh.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";
import { randomValues } from "../support/gpu.ts";

const radius = 0.35;
const views = ellipsoidViews(96, [radius, radius, radius]);
const ball = ballMesh([0, 0, 0], 0.34, 24);
const noise = randomValues(ball.positions.length, 5, 0.004);
const rough = { ...ball, positions: ball.positions.map((value, i) => value + noise[i]) };

function misfits({ positions, faces }: typeof ball) {
	const normals = vertexNormals({ positions, faces });
	let [angle, distance] = [0, 0];
	const count = positions.length / 3;
	for (let i = 0; i < positions.length; i += 3) {
		const length = Math.hypot(positions[i], positions[i + 1], positions[i + 2]);
		angle += Math.acos(
			Math.min(1, (positions[i] * normals[i] + positions[i + 1] * normals[i + 1] + positions[i + 2] * normals[i + 2]) / length),
		);
		distance += Math.abs(length - radius);
	}
	return { degrees: ((angle / count) * 180) / Math.PI, distance: distance / count };
}

it("smooths a rough ball to the normals that the views show, and moves its rims out to the silhouettes", () => {
	const refined = refineMesh(rough, { views, distances: bodySilhouettes(views), rounds: 6 });
	const [before, after] = [misfits(rough), misfits(refined)];
	expect(after.degrees).toBeLessThan(before.degrees / 2);
	expect(after.distance).toBeLessThan(before.distance);
	expect(refined.faces).toBe(rough.faces);
});

import { expect, it } from "vitest";
import { faceVisibility } from "../../engine/mesh/faceVisibility.ts";
import { visibilityViews } from "../../engine/splat/cameras.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";
import { testDevice } from "../support/gpu.ts";

const hidden = ballMesh([0, 0, 0], 0.1, 6);
const mesh = joinMeshes(ballMesh([0, 0, 0], 0.4, 12), hidden);

it("counts the views of a ball's faces and sees nothing of the ball inside it", async () => {
	const cameras = visibilityViews(37);
	const done: number[] = [];
	const counts = await faceVisibility(await testDevice(), mesh, { cameras, size: 256, onProgress: (views) => done.push(views) });
	const outer = mesh.faces.length / 3 - hidden.faces.length / 3;
	expect(counts.subarray(outer).every((count) => count === 0)).toBe(true);
	for (let face = 0; face < outer; face++) {
		// A face is seen from where its plane is, give or take views that look along it or miss its few pixels.
		const corners = [0, 1, 2].map((k) => mesh.positions.subarray(mesh.faces[face * 3 + k] * 3, mesh.faces[face * 3 + k] * 3 + 3));
		const [u, v] = [1, 2].map((k) => [0, 1, 2].map((axis) => corners[k][axis] - corners[0][axis]));
		const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
		const length = Math.hypot(...normal);
		const facing = cameras.map(({ view }) => {
			const eye = [0, 1, 2].map((axis) => -(view[axis] * view[3] + view[4 + axis] * view[7] + view[8 + axis] * view[11]));
			return normal.reduce((sum, value, axis) => sum + (value / length) * (eye[axis] - corners[0][axis]), 0);
		});
		expect(counts[face]).toBeLessThanOrEqual(facing.filter((value) => value > -0.01).length);
		expect(counts[face]).toBeGreaterThanOrEqual(facing.filter((value) => value > 0.35).length);
	}
	expect(done).toEqual([32, 37]);
});

it("gives the same counts twice, and in smaller batches", async () => {
	const cameras = visibilityViews(9);
	const [first, second] = [
		await faceVisibility(await testDevice(), mesh, { cameras, size: 64 }),
		await faceVisibility(await testDevice(), mesh, { cameras, size: 64 }),
	];
	const small = await faceVisibility(await testDevice({ maxBindingBytes: 64 * 64 * 4 * 2 }), mesh, { cameras, size: 64 });
	expect(second).toEqual(first);
	expect(small).toEqual(first);
});

import { expect, it } from "vitest";
import { bodyCameras } from "../../engine/mesh/bodyViews.ts";
import { depthRaster } from "../../engine/mesh/depthRaster.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";

it("shows the near side of a ball from all four cameras", () => {
	const centre = [0.1, -0.2, 0.15] as const;
	const mesh = ballMesh(centre, 0.2, 60);
	const size = 64;
	for (const camera of bodyCameras) {
		const { nearest } = depthRaster(mesh, camera, size);
		const along = centre[0] * camera.direction[0] + centre[1] * camera.direction[1];
		for (let row = 0; row < size; row++) {
			for (let column = 0; column < size; column++) {
				const across = (column + 0.5) / size - 0.5 - centre[camera.columnAxis];
				const up = 0.5 - (row + 0.5) / size - centre[2];
				const distance = Math.hypot(across, up);
				const depth = nearest[row * size + column];
				if (distance > 0.201) expect(depth).toBe(Number.NEGATIVE_INFINITY);
				if (distance < 0.19) expect(Math.abs(depth - along - Math.sqrt(0.04 - distance ** 2))).toBeLessThan(0.002);
			}
		}
	}
});

it("keeps the nearer of two surfaces, whatever their order", () => {
	const [near, far] = [ballMesh([0, -0.3, 0], 0.1, 20), ballMesh([0, 0.3, 0], 0.15, 20)];
	const [front, , back] = bodyCameras;
	for (const mesh of [joinMeshes(near, far), joinMeshes(far, near)]) {
		expect(depthRaster(mesh, front, 33).nearest[16 * 33 + 16]).toBeCloseTo(0.4, 2);
		expect(depthRaster(mesh, back, 33).nearest[16 * 33 + 16]).toBeCloseTo(0.45, 2);
	}
});

it("ignores what lies outside the box and triangles seen edge-on", () => {
	const positions = Float32Array.from([2, 0, 2, 3, 0, 2, 2, 0, 3, 0, 0, 0, 0, 0.1, 0, 0, 0.2, 0]);
	const { nearest } = depthRaster({ positions, faces: Uint32Array.of(0, 1, 2, 3, 4, 5) }, bodyCameras[0], 8);
	expect(nearest.every((depth) => depth === Number.NEGATIVE_INFINITY)).toBe(true);
});

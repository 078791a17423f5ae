import { expect, it } from "vitest";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { connectedFaces, meshEdges } from "../../engine/mesh/meshEdges.ts";
import { type RepairOptions, repairDefaults, repairMesh } from "../../engine/mesh/repair.ts";
import { visibilityViews } from "../../engine/splat/cameras.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";
import { shellWithHiddenBall } from "../support/brokenShell.ts";
import { testDevice } from "../support/gpu.ts";

const options: RepairOptions = { ...repairDefaults, cameras: visibilityViews(40), size: 128 };
const repaired = async (mesh: Mesh) => repairMesh(await testDevice(), mesh, options);

it("removes a hidden ball and a crumb and closes the window, twice the same", async () => {
	const crumb = ballMesh([0.44, 0, 0.3], 0.03, 3);
	const { mesh, report } = await repaired(joinMeshes(shellWithHiddenBall(16), crumb));
	const { faceEdges, degrees } = meshEdges(mesh.faces);
	expect(connectedFaces(faceEdges, degrees.length).pieces).toBe(1);
	expect(degrees.every((degree) => degree === 2)).toBe(true);
	expect(mesh.positions.every((_, i) => i % 3 !== 0 || Math.hypot(...mesh.positions.subarray(i, i + 3)) > 0.4)).toBe(true);
	expect(report).toEqual({
		hiddenFaces: ballMesh([0, 0, 0], 1, 8).faces.length / 3,
		attempt: 3,
		floatingFaces: crumb.faces.length / 3,
		closedBoundaries: 1,
		openBoundaries: [],
		boundaryEdges: 0,
	});
	expect(await repaired(joinMeshes(shellWithHiddenBall(16), crumb))).toEqual({ mesh, report });
});

it("lets a mesh pass through where nothing is hidden", async () => {
	const ball = ballMesh([0, 0, 0], 0.4, 16);
	const { mesh, report } = await repaired(ball);
	expect(mesh).toBe(ball);
	expect(report.hiddenFaces).toBe(0);
});

it("refuses a mesh that no camera sees, and one with a vertex that is not a number", async () => {
	const far = ballMesh([0, 0, 40], 0.4, 6);
	await expect(repaired(far)).rejects.toMatchObject({ code: "input", message: expect.stringContaining("none of the 40 cameras") });
	const broken = ballMesh([0, 0, 0], 0.4, 6);
	broken.positions[4] = Number.NaN;
	await expect(repaired(broken)).rejects.toMatchObject({ code: "input", message: "repair: vertex 1 is not finite" });
});

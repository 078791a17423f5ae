import { expect, it } from "vitest";
import { removeFloatingPieces } from "../../engine/mesh/removeFloatingPieces.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";

const body = ballMesh([0, 0, 0], 0.3, 8);

it("leaves out what is small beside the largest piece", () => {
	const crumb = ballMesh([0.4, 0, 0], 0.02, 4);
	const { mesh, removed } = removeFloatingPieces(joinMeshes(crumb, body), 0.01);
	expect(removed).toBe(crumb.faces.length / 3);
	expect(mesh).toEqual({ ...body, colors: undefined });
});

it("keeps larger pieces, and a mesh of one piece as the same object", () => {
	const pair = joinMeshes(body, ballMesh([0.4, 0, 0], 0.1, 4));
	expect(removeFloatingPieces(pair, 0.01)).toEqual({ mesh: pair, removed: 0 });
	expect(removeFloatingPieces(body, 0.01).mesh).toBe(body);
});

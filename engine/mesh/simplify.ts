import { MeshoptSimplifier } from "meshoptimizer";
import { SyncHumanError } from "../error.ts";
import { checkMesh } from "./checkMesh.ts";
import type { Mesh } from "./mesh.ts";
import { withFaces } from "./pickFaces.ts";

/**
 * The number of faces that `--simplify VALUE` asks for: above 1 a number of faces, otherwise a share of them. At least 4, at most all.
 * Throws code "input" where the value is not positive.
 */
export function simplifiedFaceCount(value: number, faces: number): number {
	if (!(value > 0) || !Number.isFinite(value)) {
		throw new SyncHumanError("input", `simplify: must be a share of the faces (0 to 1) or a number of faces, got ${value}`);
	}
	return Math.min(faces, Math.max(4, Math.round(value > 1 ? value : value * faces)));
}

/** What `simplifyMesh` gives. */
export interface SimplifiedMesh {
	/** Vertices are some of the source's, with their colours, in the source's order; the very same mesh where it is small enough. */
	readonly mesh: Mesh;
	/** Estimated largest distance from the source, in the world's units. */
	readonly error: number;
}

/**
 * Collapses edges, cheapest first by quadric error, until `faceCount` faces are left (meshoptimizer; it may stop above where the topology
 * would break). Colours, where the mesh has them, count as much as a displacement of 2 % of the figure over their whole range. Throws
 * code "input" for a mesh that `checkMesh` refuses. Upstream: pyvista's vtkQuadricDecimation, not bit-equal.
 */
export async function simplifyMesh(mesh: Mesh, faceCount: number): Promise<SimplifiedMesh> {
	checkMesh("simplify", mesh);
	if (mesh.faces.length / 3 <= faceCount) return { mesh, error: 0 };
	await MeshoptSimplifier.ready;
	const { positions, faces, colors } = mesh;
	const [target, unlimited] = [faceCount * 3, 1];
	const [kept, error] =
		colors === undefined
			? MeshoptSimplifier.simplify(faces, positions, 3, target, unlimited)
			: MeshoptSimplifier.simplifyWithAttributes(
					faces,
					positions,
					3,
					colors,
					3,
					[colorWeight, colorWeight, colorWeight],
					null,
					target,
					unlimited,
				);
	if (kept.length === 0)
		throw new SyncHumanError("input", `simplify: nothing is left of the mesh at ${faceCount} faces`, "Ask for more faces.");
	return { mesh: withFaces(mesh, kept), error: error * MeshoptSimplifier.getScale(positions, 3) };
}

const colorWeight = 0.02;

import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { checkMesh } from "./checkMesh.ts";
import { faceVisibility, type VisibilityOptions } from "./faceVisibility.ts";
import { fillSmallBoundaries } from "./fillSmallBoundaries.ts";
import type { Mesh } from "./mesh.ts";
import { meshEdges } from "./meshEdges.ts";
import { pickFaces } from "./pickFaces.ts";
import { removeFloatingPieces } from "./removeFloatingPieces.ts";
import { type HiddenFaceLimits, hiddenFaceFinder, isKept } from "./removeHiddenFaces.ts";

/** How a mesh is repaired. */
export interface RepairOptions extends VisibilityOptions {
	/** Upstream max_hole_size (0.04): area of an opening that a cut may leave. */
	readonly openingArea: number;
	/** Upstream max_hole_nbe, 250 * sqrt(1 - simplify) = 136: boundaries of up to so many edges are closed. */
	readonly closedEdges: number;
	/** Connected pieces with less than this share of the largest one's area are left out; 0 keeps all. */
	readonly minimumPieceShare: number;
}

/** What was done to a mesh. */
export interface RepairReport {
	/** Faces cut away because they cannot be seen from outside. */
	readonly hiddenFaces: number;
	/** Which of `repairAttempts` the result is of, counted from 1. */
	readonly attempt: number;
	/** Faces of floating pieces left out. */
	readonly floatingFaces: number;
	readonly closedBoundaries: number;
	/** Edges of each boundary that stays open, as far as they are loops. */
	readonly openBoundaries: readonly number[];
	/** Edges of the result with one face: those of the loops, and of boundaries that run into edges of three faces. */
	readonly boundaryEdges: number;
}

/** Sizes that upstream's to_glb works with: 1,000 views of 1,024 x 1,024 from splat's `visibilityViews`. */
export const repairDefaults = Object.freeze({ views: 1000, size: 1024, openingArea: 0.04, closedEdges: 136, minimumPieceShare: 0.01 });

/** Upstream's three tries, each from the same mesh. */
const repairAttempts: readonly Omit<HiddenFaceLimits, "openingArea">[] = Object.freeze([
	{ outerQuantile: 0.7, outerMinimum: 0.15, innerMaximum: 0.01 },
	{ outerQuantile: 0.7, outerMinimum: 0.15, innerMaximum: 0 },
	{ outerQuantile: 0.6, outerMinimum: 0.08, innerMaximum: 0.01 },
]);

/** Faces removed that end the tries, or this share of the vertices. */
const [enoughFaces, enoughShare] = [15_000, 0.8];

/**
 * Cuts away the hidden inside of a (simplified) mesh, leaves out floating pieces and closes small boundaries. The last of the tries counts,
 * as upstream has it; one that removes many faces ends them. Where no face is hidden the mesh passes through unchanged, boundaries too,
 * but for floating pieces. The same result for the same mesh on the same device. Throws code "input" for a mesh that `checkMesh` refuses
 * and for one of which no camera sees a face. Upstream: postprocessing_utils.fill_holes.
 */
export async function repairMesh(
	device: Device,
	mesh: Mesh,
	options: RepairOptions,
): Promise<{ readonly mesh: Mesh; readonly report: RepairReport }> {
	checkMesh("repair", mesh);
	const counts = await faceVisibility(device, mesh, options);
	if (!counts.some((count) => count > 0)) {
		throw new SyncHumanError(
			"input",
			`repair: none of the ${options.cameras.length} cameras sees a face of the mesh`,
			"The figure must lie in the box [-0.5, 0.5]^3.",
		);
	}
	const visibility = Float32Array.from(counts, (count) => count / options.cameras.length);
	const findHidden = hiddenFaceFinder(mesh, visibility);
	let hidden: Uint8Array = new Uint8Array(visibility.length);
	let hiddenFaces = 0;
	let attempt = 0;
	for (const limits of repairAttempts) {
		attempt++;
		hidden = findHidden({ ...limits, openingArea: options.openingArea });
		hiddenFaces = hidden.reduce((sum, value) => sum + value, 0);
		if (hiddenFaces > enoughFaces || hiddenFaces > enoughShare * (mesh.positions.length / 3)) break;
	}
	const pieces = removeFloatingPieces(pickFaces(mesh, hidden.map(isKept)), options.minimumPieceShare);
	const filled = fillSmallBoundaries(pieces.mesh, hiddenFaces === 0 ? 0 : options.closedEdges);
	return {
		mesh: filled.mesh,
		report: {
			hiddenFaces,
			attempt,
			floatingFaces: pieces.removed,
			closedBoundaries: filled.closed,
			openBoundaries: filled.open,
			boundaryEdges: meshEdges(filled.mesh.faces).degrees.reduce((sum, degree) => sum + (degree === 1 ? 1 : 0), 0),
		},
	};
}

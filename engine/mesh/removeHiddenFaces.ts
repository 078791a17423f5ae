import type { Mesh } from "./mesh.ts";
import { connectedEdges, connectedFaces, dualGraph, type MeshEdges, meshEdges } from "./meshEdges.ts";
import { minimumCut } from "./minimumCut.ts";
import { pickFaces } from "./pickFaces.ts";

/** Which faces count as outside and inside, and which cuts are allowed. Visibilities are shares of the views, 0 to 1. */
export interface HiddenFaceLimits {
	/** Upstream min_outer_hole_ratio: quantile of the visibilities above which a face is outside. */
	readonly outerQuantile: number;
	/** Upstream min_outer_hole_min: no face below this is outside, no piece whose median is above it is removed. */
	readonly outerMinimum: number;
	/** Upstream max_inner_hole: faces up to this are inside. */
	readonly innerMaximum: number;
	/** Upstream max_hole_size: area that the opening of a cut may have, in the world's units squared. */
	readonly openingArea: number;
}

/** What `removeHiddenFaces` gives. */
export interface HiddenFacesRemoval {
	/** Without the hidden faces; the very same mesh where nothing was removed. */
	readonly mesh: Mesh;
	/** Number of faces removed. */
	readonly removed: number;
}

/**
 * Cuts away what cannot be seen from outside: a minimum cut on the dual graph, which costs its length, parts hidden faces from visible
 * ones, and pieces of the hidden side go where they are dark enough and leave small openings. `visibility` [f] is each face's share of
 * the views. Upstream: postprocessing_utils._fill_holes up to MeshFix, thresholds in float32 as there.
 *
 * Departs from upstream: where nothing is hidden, or no piece may go, the mesh comes back as it was (upstream fails).
 */
export function removeHiddenFaces(mesh: Mesh, visibility: Float32Array, limits: HiddenFaceLimits): HiddenFacesRemoval {
	const hidden = hiddenFaceFinder(mesh, visibility)(limits);
	return { mesh: pickFaces(mesh, hidden.map(isKept)), removed: hidden.reduce((sum, value) => sum + value, 0) };
}

/** 1 for a face that stays, of what `hiddenFaceFinder` gives. */
export function isKept(hidden: number): number {
	return 1 - hidden;
}

/** `removeHiddenFaces` for one limit after the other: gives [f] 1 for each face that goes. */
export function hiddenFaceFinder(mesh: Mesh, visibility: Float32Array): (limits: HiddenFaceLimits) => Uint8Array {
	const topology = meshEdges(mesh.faces);
	const { links, edgeOf } = dualGraph(topology);
	const lengths = edgeLengths(mesh, topology);
	const capacities = Float64Array.from(edgeOf, (edge) => capacityScale * lengths[edge]);
	const components = visibilityOfComponents(topology, visibility);
	return (limits) => {
		const innerMaximum = Math.fround(limits.innerMaximum);
		if (!visibility.some((value) => value <= innerMaximum)) return new Uint8Array(visibility.length);
		const outer = outerFaces(components, visibility, limits);
		const terminals = Float64Array.from(visibility, (value, face) => capacityScale * (Number(value <= innerMaximum) - outer[face]));
		const hidden = minimumCut({ nodes: visibility.length, links, capacities, terminals });
		return allowedPieces(mesh, topology, hidden, visibility, limits);
	};
}

const capacityScale = 1000;

/** torch.quantile of sorted values: linear between neighbours, in float32. */
export function sortedQuantile(sorted: Float32Array, share: number): number {
	const rank = Math.fround(Math.fround(share) * (sorted.length - 1));
	const below = Math.floor(rank);
	const low = sorted[below];
	return Math.fround(low + Math.fround(rank - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - low));
}

/** Visibilities, sorted: of all faces and of each connected component. */
interface SortedVisibility {
	/** [f] */
	readonly componentOf: Uint32Array;
	readonly ofAll: Float32Array;
	readonly ofComponents: readonly Float32Array[];
}

function visibilityOfComponents({ faceEdges, degrees }: MeshEdges, visibility: Float32Array): SortedVisibility {
	const { pieceOf, pieces } = connectedFaces(faceEdges, degrees.length);
	return {
		componentOf: pieceOf,
		ofAll: visibility.slice().sort(),
		ofComponents: groups(pieceOf, pieces).map((faces) => Float32Array.from(faces, (face) => visibility[face]).sort()),
	};
}

/** [f] 1 where a face is seen more often than the threshold of its connected component. */
function outerFaces(
	{ componentOf, ofAll, ofComponents }: SortedVisibility,
	visibility: Float32Array,
	limits: HiddenFaceLimits,
): Uint8Array {
	const most = sortedQuantile(ofAll, limits.outerQuantile);
	const thresholds = ofComponents.map((own) => {
		const quantile = Math.min(sortedQuantile(own, limits.outerQuantile), most);
		return Math.fround(Math.min(Math.max(quantile, limits.outerMinimum), 0.5));
	});
	return Uint8Array.from(visibility, (value, face) => (value > thresholds[componentOf[face]] ? 1 : 0));
}

/** [f] 1 for the faces of those connected pieces of `hidden` that are dark and whose new openings are small. */
function allowedPieces(
	mesh: Mesh,
	topology: MeshEdges,
	hidden: Uint8Array,
	visibility: Float32Array,
	limits: HiddenFaceLimits,
): Uint8Array {
	const { faceEdges, degrees } = topology;
	const hiddenFaces = Uint32Array.from(hidden.keys()).filter((face) => hidden[face] === 1);
	const hiddenEdges = Uint32Array.from(
		{ length: hiddenFaces.length * 3 },
		(_, i) => faceEdges[hiddenFaces[(i - (i % 3)) / 3] * 3 + (i % 3)],
	);
	const { pieceOf, pieces } = connectedFaces(hiddenEdges, degrees.length);
	const removed = new Uint8Array(hidden.length);
	for (const members of groups(pieceOf, pieces)) {
		const faces = Uint32Array.from(members, (member) => hiddenFaces[member]);
		const sorted = Float32Array.from(faces, (face) => visibility[face]).sort();
		if (sorted[(sorted.length - 1) >> 1] > Math.fround(limits.outerMinimum)) continue;
		const openings = openingAreas(mesh, topology, newBoundary(topology, faces));
		if (openings.some((area) => area > limits.openingArea)) continue;
		for (const face of faces) removed[face] = 1;
	}
	return removed;
}

/** Edges of just one of these faces that have another face besides, ascending. */
function newBoundary({ faceEdges, degrees }: MeshEdges, faces: Uint32Array): Uint32Array {
	const uses = new Map<number, number>();
	for (const face of faces) {
		for (let k = 0; k < 3; k++) {
			const edge = faceEdges[face * 3 + k];
			uses.set(edge, (uses.get(edge) ?? 0) + 1);
		}
	}
	return Uint32Array.from(uses.keys())
		.filter((edge) => uses.get(edge) === 1 && degrees[edge] !== 1)
		.sort();
}

/** Per loop of these edges the area of the fan around its centre. */
function openingAreas({ positions }: Mesh, { edges }: MeshEdges, boundary: Uint32Array): number[] {
	const pairs = Uint32Array.from({ length: boundary.length * 2 }, (_, i) => edges[boundary[i >> 1] * 2 + (i & 1)]);
	const { pieceOf, pieces } = connectedEdges(pairs);
	return groups(pieceOf, pieces).map((loop) => {
		const centre = [0, 1, 2].map(
			(axis) =>
				loop.reduce((sum, e) => sum + positions[pairs[e * 2] * 3 + axis] + positions[pairs[e * 2 + 1] * 3 + axis], 0) / (2 * loop.length),
		);
		let area = 0;
		for (const e of loop) {
			const [ax, ay, az] = centre.map((value, axis) => positions[pairs[e * 2] * 3 + axis] - value);
			const [bx, by, bz] = centre.map((value, axis) => positions[pairs[e * 2 + 1] * 3 + axis] - value);
			area += Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx) / 2;
		}
		return area;
	});
}

function edgeLengths({ positions }: Mesh, { edges }: MeshEdges): Float64Array {
	return Float64Array.from({ length: edges.length / 2 }, (_, e) => {
		const [a, b] = [edges[e * 2] * 3, edges[e * 2 + 1] * 3];
		return Math.hypot(positions[a] - positions[b], positions[a + 1] - positions[b + 1], positions[a + 2] - positions[b + 2]);
	});
}

/** The rows of each piece, ascending. */
function groups(pieceOf: Uint32Array, pieces: number): number[][] {
	const rows: number[][] = Array.from({ length: pieces }, () => []);
	pieceOf.forEach((piece, row) => {
		rows[piece].push(row);
	});
	return rows;
}

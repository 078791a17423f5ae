import { faceVisibility } from "../../../engine/mesh/faceVisibility.ts";
import type { Mesh } from "../../../engine/mesh/mesh.ts";
import { connectedFaces, dualGraph, meshEdges } from "../../../engine/mesh/meshEdges.ts";
import { removeHiddenFaces } from "../../../engine/mesh/removeHiddenFaces.ts";
import { visibilityViews } from "../../../engine/splat/cameras.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";

const integers = (shape: readonly number[], data: Uint32Array): HostTensor => ({ shape, data });

/** One try of the repair up to MeshFix, which the golden replaces by the identity: nothing is closed. */
async function runFillHoles(context: ParityContext): Promise<ParityOutputs> {
	const { args } = context.config;
	const [vertices, faces] = [await context.input("vertices"), await context.input("faces")];
	const mesh: Mesh = { positions: Float32Array.from(vertices.data), faces: Uint32Array.from(faces.data) };
	const cameras = visibilityViews(args.num_views);
	const counts = await faceVisibility(await context.device(), mesh, { cameras, size: args.resolution });
	const visibility = Float32Array.from(counts, (count) => count / cameras.length);
	const topology = meshEdges(mesh.faces);
	const { edges, faceEdges, degrees } = topology;
	const dual = dualGraph(topology);
	const cut = removeHiddenFaces(mesh, visibility, {
		outerQuantile: args.min_outer_hole_ratio,
		outerMinimum: args.min_outer_hole_min,
		innerMaximum: args.max_inner_hole,
		openingArea: args.max_hole_size,
	});
	return new Map<string, HostTensor>([
		["visibility", { shape: [visibility.length], data: visibility }],
		["edges", integers([edges.length / 2, 2], edges)],
		["face2edge", integers([faceEdges.length / 3, 3], faceEdges)],
		["edge_degree", integers([degrees.length], degrees)],
		["component", integers([visibility.length], connectedFaces(faceEdges, degrees.length).pieceOf)],
		["dual_edges", integers([dual.links.length / 2, 2], inOrderOf(context.expected("dual_edges"), dual.links))],
		["dual_edge_of", integers([dual.edgeOf.length], dual.edgeOf)],
		["out_vertices", { shape: [cut.mesh.positions.length / 3, 3], data: cut.mesh.positions }],
		["out_faces", integers([cut.mesh.faces.length / 3, 3], cut.mesh.faces)],
		["num_removed", integers([1], Uint32Array.of(cut.removed))],
	]);
}

/** Pairs turned over where the golden has them the other way round: the order inside a pair is that of torch's unstable sort. */
function inOrderOf(expected: HostTensor, pairs: Uint32Array): Uint32Array {
	return pairs.map((value, i) => {
		const other = pairs[i ^ 1];
		return expected.data[i] === other && expected.data[i ^ 1] === value ? other : value;
	});
}

/** Visibility, dual graph, minimum cut and validation of the mesh repair. */
export const adapters: Adapters = { fill_holes: { runs: "device", required: (names) => names, run: runFillHoles } };

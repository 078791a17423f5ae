import type { Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { prefixSum } from "../splat/prefixSum.ts";
import { type BitSet, bitsOf, rankBits, workgroupsOf } from "./bitSet.ts";

// Everything discrete about the surface of an SDF on a grid: it follows from signs alone. Rules 5, 6, 8 and 9 of
// reference/stage2/ARCHITECTURE.md section 8.

/** u32 [words]: bits of the members of a ranked set of vertices whose SDF, f32 [>= members], is negative. */
export function insideVertices(graph: Graph, { tensor, words }: BitSet, sdf: Tensor): Tensor {
	const inside = graph.tensor("inside", "u32", [words]);
	graph.dispatch({
		shader: "mesh/insideVertices",
		tensors: { members: tensor, sdf, inside },
		params: { words },
		workgroups: workgroupsOf(words),
	});
	return inside;
}

/** What `surfaceCubes` reads and adds to. */
export interface SurfaceCubesRequest {
	readonly resolution: number;
	/** u32 [words], bits of the vertices with a negative SDF. */
	readonly inside: Tensor;
	/** u32 [256, 8], see the shaders. */
	readonly tables: Tensor;
	/** Takes the cubes with corners on both sides. */
	readonly cubes: BitSet;
	/** Zeros before: takes the vertices at these cubes. */
	readonly vertices: BitSet;
	/** u32 [2], zeros before: takes how many loops and how many quads the surface has. */
	readonly sizes: Tensor;
}

/** Finds the cubes that the surface goes through; both sets are ranked afterwards. */
export function surfaceCubes(graph: Graph, { resolution, inside, tables, cubes, vertices, sizes }: SurfaceCubesRequest): void {
	graph.dispatch({
		shader: "mesh/surfaceCubes",
		tensors: { inside, tables, cubes: bitsOf(cubes), vertices: bitsOf(vertices), sizes },
		params: { words: cubes.words, resolution },
		workgroups: workgroupsOf(cubes.words),
	});
	for (const set of [cubes, vertices]) rankBits(graph, set);
}

/** What `surfaceCases` reads. */
export interface SurfaceCasesRequest {
	readonly resolution: number;
	/** u32 [s] the surface's cubes, ascending. */
	readonly cubeIds: Tensor;
	readonly inside: Tensor;
	/** u32 [256, 8], see the shaders. */
	readonly tables: Tensor;
}

/**
 * `cubes` u32 [s]: case, and case before ambiguous neighbours were resolved times 256.
 * `loopsBefore` u32 [4 s + 1]: loops before a cube in the order of loops of a cube, then cube: of cube i with n loops at (n - 1) s + i.
 */
export function surfaceCases(graph: Graph, request: SurfaceCasesRequest): { readonly cubes: Tensor; readonly loopsBefore: Tensor } {
	const { resolution, cubeIds, inside, tables } = request;
	const [count] = cubeIds.shape;
	const cubes = graph.tensor("cases", "u32", [count]);
	const loops = graph.tensor("loops", "u32", [4 * count]);
	graph.dispatch({
		shader: "mesh/surfaceCases",
		tensors: { cubeIds, inside, tables, cubes, loops },
		params: { count, resolution },
		workgroups: workgroupsOf(count),
	});
	return { cubes, loopsBefore: prefixSum(graph, { values: loops }) };
}

/** What `surfaceDuals` reads. */
export interface SurfaceDualsRequest {
	readonly resolution: number;
	readonly cubeIds: Tensor;
	/** From `surfaceCases`. */
	readonly cubes: Tensor;
	readonly loopsBefore: Tensor;
	/** The surface's vertices. */
	readonly vertices: BitSet;
	readonly tables: Tensor;
	/** Number of loops of all cubes. */
	readonly duals: number;
}

/**
 * `corners` u32 [s, 8] places among the surface's vertices; `duals` u32 [d, 2] cube and edges of each loop; `caseAndFirst` u32 [s, 2] case
 * and first loop of each cube.
 */
export function surfaceDuals(graph: Graph, request: SurfaceDualsRequest) {
	const { resolution, cubeIds, cubes, loopsBefore, vertices, tables } = request;
	const [count] = cubeIds.shape;
	const corners = graph.tensor("corners", "u32", [count, 8]);
	const duals = graph.tensor("duals", "u32", [request.duals, 2]);
	const caseAndFirst = graph.tensor("cases and first loops", "u32", [count, 2]);
	graph.dispatch({
		shader: "mesh/surfaceDuals",
		tensors: { cubeIds, cubes, loopsBefore, members: vertices.tensor, tables, corners, duals, caseAndFirst },
		params: { count, resolution, words: vertices.words },
		workgroups: workgroupsOf(count),
	});
	return { corners, duals, caseAndFirst };
}

/**
 * Of the edges -y, +z, +x of the surface's vertices u32 [u], whose points f32 [u, channels] hold the SDF in column 3. `flags` u32 [u]: bits 0
 * to 2 where an edge gives a quad and the SDF is positive, 3 to 5 where it gives one and the SDF is not, 6 to 8 where it is crossed. `counts`
 * u32 [2 u]: quads of the first kind of every vertex, then of the second.
 */
export function surfaceEdges(graph: Graph, vertexIds: Tensor, inside: Tensor, points: Tensor, resolution: number) {
	const [count, channels] = points.shape;
	const flags = graph.tensor("edges", "u32", [count]);
	const counts = graph.tensor("quads of vertices", "u32", [2 * count]);
	graph.dispatch({
		shader: "mesh/surfaceEdges",
		tensors: { vertexIds, inside, points, flags, counts },
		params: { count, resolution, channels },
		workgroups: workgroupsOf(count),
	});
	return { flags, counts };
}

/** What `surfaceFaces` reads. */
export interface SurfaceFacesRequest {
	readonly resolution: number;
	/** u32 [2 u + 1]: quads before each of the counts of `surfaceEdges`. */
	readonly quadsBefore: Tensor;
	readonly flags: Tensor;
	readonly vertexIds: Tensor;
	/** The surface's cubes. */
	readonly cubes: BitSet;
	readonly caseAndFirst: Tensor;
	readonly tables: Tensor;
	/** f32 [>= d] from `dualVertices`: its last d elements are the gammas. */
	readonly duals: Tensor;
	/** Number of duals. */
	readonly dualCount: number;
	/** Number of quads of all edges. */
	readonly quads: number;
}

/** u32 [2 * quads, 3]: triangles over the duals. */
export function surfaceFaces(graph: Graph, request: SurfaceFacesRequest): Tensor {
	const { resolution, quadsBefore, flags, vertexIds, cubes, caseAndFirst, tables, duals, dualCount } = request;
	const [count] = vertexIds.shape;
	const faces = graph.tensor("faces", "u32", [request.quads * 2, 3]);
	graph.dispatch({
		shader: "mesh/surfaceFaces",
		tensors: { quadsBefore, flags, vertexIds, members: cubes.tensor, caseAndFirst, tables, duals, faces },
		params: { count, resolution, words: cubes.words, gammas: duals.shape[0] - dualCount },
		workgroups: workgroupsOf(count),
	});
	return faces;
}

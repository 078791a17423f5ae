import type { Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { prefixSum } from "../splat/prefixSum.ts";
import { gridWords } from "./activeCubes.ts";
import { workgroupsOf } from "./bitSet.ts";

// Everything discrete about the surface of an SDF on a grid: it follows from signs alone. Rules 5, 6, 8 and 9 of
// reference/stage2/ARCHITECTURE.md section 8.

/** u32 [words]: bits of the vertices with a negative SDF; `vertices` u32 [words, 2] from `rankedBits`, sdf f32 [>= members]. */
export function insideVertices(graph: Graph, vertices: Tensor, sdf: Tensor): Tensor {
	const [words] = vertices.shape;
	const inside = graph.tensor("inside", "u32", [words]);
	graph.dispatch({ shader: "mesh/insideVertices", tensors: { vertices, sdf, inside }, params: { words }, workgroups: workgroupsOf(words) });
	return inside;
}

/** What `surfaceCubes` reads and adds to. */
export interface SurfaceCubesRequest {
	readonly resolution: number;
	/** u32 [words], from `insideVertices`. */
	readonly inside: Tensor;
	/** u32 [256, 8], see the shaders. */
	readonly tables: Tensor;
	/** u32 [words], zeros before: takes the bits of the vertices at the surface's cubes. */
	readonly vertices: Tensor;
	/** u32 [2], zeros before: takes how many loops and how many quads the surface has. */
	readonly sizes: Tensor;
}

/** u32 [words]: bits of the cubes with corners on both sides. */
export function surfaceCubes(graph: Graph, { resolution, inside, tables, vertices, sizes }: SurfaceCubesRequest): Tensor {
	const words = gridWords(resolution).cubes;
	const cubes = graph.tensor("surface cubes", "u32", [words]);
	graph.dispatch({
		shader: "mesh/surfaceCubes",
		tensors: { inside, tables, cubes, vertices, sizes },
		params: { words, resolution },
		workgroups: workgroupsOf(words),
	});
	return cubes;
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
	/** u32 [words, 2] set of the surface's vertices. */
	readonly vertices: Tensor;
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
		tensors: { cubeIds, cubes, loopsBefore, vertices, tables, corners, duals, caseAndFirst },
		params: { count, resolution },
		workgroups: workgroupsOf(count),
	});
	return { corners, duals, caseAndFirst };
}

/**
 * u32 [3, u, 3] for the edges -y, +z, +x of the surface's vertices u32 [u], whose points f32 [u, channels] hold the SDF in column 3: 1 where
 * an edge gives a quad and the SDF is positive; gives one and it is not; is crossed.
 */
export function surfaceEdges(graph: Graph, vertexIds: Tensor, inside: Tensor, points: Tensor, resolution: number): Tensor {
	const [count, channels] = points.shape;
	const quads = graph.tensor("edges", "u32", [9 * count]);
	graph.dispatch({
		shader: "mesh/surfaceEdges",
		tensors: { vertexIds, inside, points, quads },
		params: { count, resolution, channels },
		workgroups: workgroupsOf(count * 3),
	});
	return quads;
}

/** What `surfaceFaces` reads. */
export interface SurfaceFacesRequest {
	readonly resolution: number;
	/** u32 [6 u + 1]: quads before each edge, in the order of the first two parts of `surfaceEdges`. */
	readonly quadsBefore: Tensor;
	readonly vertexIds: Tensor;
	/** u32 [words, 2] set of the surface's cubes. */
	readonly cubes: Tensor;
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
	const { resolution, quadsBefore, vertexIds, cubes, caseAndFirst, tables, duals, dualCount } = request;
	const [count] = vertexIds.shape;
	const faces = graph.tensor("faces", "u32", [request.quads * 2, 3]);
	graph.dispatch({
		shader: "mesh/surfaceFaces",
		tensors: { quadsBefore, vertexIds, cubes, caseAndFirst, tables, duals, faces },
		params: { count, resolution, gammas: duals.shape[0] - dualCount },
		workgroups: workgroupsOf(count * 6),
	});
	return faces;
}

import type { Device } from "../gpu/device.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { readTogether, readUnsigned } from "../gpu/transfer.ts";
import type { Graph } from "../graph/graph.ts";
import { type ActiveCubes, gridWords } from "../kernels/mesh/activeCubes.ts";
import { type BitSet, countOf, elementOf, membersOfBits, rankMembers, setLength } from "../kernels/mesh/bitSet.ts";
import { dualVertices } from "../kernels/mesh/dualVertices.ts";
import { surfaceCases, surfaceDuals, surfaceEdges, surfaceFaces } from "../kernels/mesh/surfaceCubes.ts";
import { prefixSum } from "../kernels/splat/prefixSum.ts";
import { packedTables } from "./flexicubesTables.ts";
import type { GraphRunner } from "./graphRunner.ts";
import type { Mesh } from "./mesh.ts";

/** The discrete part of a surface: it follows from the signs of the SDF alone. */
export interface SurfaceTopology {
	/** [s] linear ids of the cubes with corners on both sides, ascending. */
	readonly cubes: Uint32Array;
	/** [s] case of each surface cube: sum of 2^corner over inside corners. */
	readonly originalCases: Uint8Array;
	/** [s] case after ambiguous neighbours were resolved. */
	readonly cases: Uint8Array;
	/** [e, 2] sign-changing grid edges as vertex ids, first and second endpoint, lexicographic. */
	readonly edges: Uint32Array;
}

/** What FlexiCubes gives. */
export interface ExtractedMesh extends Mesh {
	/** [v, 6] colour and normal as the decoder predicts them, 0..1; only where asked for. */
	readonly attributes: Float32Array | undefined;
	/** Only where asked for. */
	readonly topology: SurfaceTopology | undefined;
	/** Kernel calls that were made. */
	readonly dispatchCount: number;
}

/** What an SDF without a zero crossing gives. */
export const emptyMesh: ExtractedMesh = Object.freeze({
	...{ positions: new Float32Array(0), faces: new Uint32Array(0), attributes: undefined },
	...{ topology: undefined, dispatchCount: 0 },
});

/** Where tensors come from that graphs share. */
export type Uploads = Pick<GraphRunner, "upload">;

/** A set of these bits, or without members. */
export function unrankedSet(gpu: Uploads, label: string, words: number, bits?: Uint32Array): BitSet {
	let values: Uint32Array | undefined;
	if (bits) {
		values = new Uint32Array(setLength(words));
		values.set(bits);
	}
	return { words, tensor: gpu.upload(label, [setLength(words)], values) };
}

/** What `surfaceCubes` fills: the cubes that the surface goes through, the vertices at them, the numbers of loops and quads. */
export interface SurfaceSets {
	readonly tables: Tensor;
	readonly cubes: BitSet;
	readonly vertices: BitSet;
	readonly sizes: Tensor;
}

/** Empty ones for a grid of `resolution`^3, and the tables. */
export function surfaceSets(gpu: Uploads, resolution: number): SurfaceSets {
	const words = gridWords(resolution);
	return {
		tables: gpu.upload("tables", [256, 8], packedTables()),
		cubes: unrankedSet(gpu, "surface cubes", words.cubes),
		vertices: unrankedSet(gpu, "surface vertices", words.vertices),
		sizes: gpu.upload("loops and quads", [2]),
	};
}

/** Numbers of cubes, vertices, loops and quads, for the host to read. */
export function sizesOf({ cubes, vertices, sizes }: SurfaceSets): readonly Tensor[] {
	return [countOf(cubes), countOf(vertices), elementOf(sizes, 0), elementOf(sizes, 1)];
}

/** A surface whose cubes and vertices are known. */
export interface Surface {
	/** Cubes with features. */
	readonly cubes: ActiveCubes;
	readonly features: Tensor;
	readonly weightColumn: number;
	readonly inside: Tensor;
	readonly surface: SurfaceSets;
	/** As `sizesOf` has them. */
	readonly sizes: readonly number[];
	/** Records points f32 [u, 4 or 10] x, y, z, sdf, colours of vertices u32 [u]. */
	readonly points: (graph: Graph, vertexIds: Tensor) => Tensor;
	readonly withTopology?: boolean | undefined;
}

/** Records everything behind the sizes; what the host reads is an output of the graph. */
export function recordSurface(graph: Graph, given: Surface) {
	const { cubes: active, features, weightColumn, inside, surface, withTopology } = given;
	const { resolution } = active;
	const { tables } = surface;
	const [count, vertexCount, dualCount, quads] = given.sizes;
	const cubeIds = membersOfBits(graph, surface.cubes, count);
	const { cubes, loopsBefore } = surfaceCases(graph, { resolution, cubeIds, inside, tables });
	const vertexIds = membersOfBits(graph, surface.vertices, vertexCount);
	const points = given.points(graph, vertexIds);
	const { corners, duals, caseAndFirst } = surfaceDuals(graph, {
		...{ resolution, cubeIds, cubes, loopsBefore, tables, duals: dualCount, vertices: surface.vertices },
	});
	const featureRows = rankMembers(graph, cubeIds, active.set, active.rows);
	const rows = graph.output(dualVertices(graph, { features, weightColumn, featureRows, corners, points, duals }));
	const { flags, counts } = surfaceEdges(graph, vertexIds, inside, points, resolution);
	if (withTopology) for (const tensor of [cubeIds, cubes, vertexIds, flags]) graph.output(tensor);
	const found = { rows, channels: points.shape[1], cubeIds, cubes, vertexIds, flags };
	if (quads === 0) return { ...found, faces: undefined };
	const quadsBefore = prefixSum(graph, { values: counts });
	const faces = surfaceFaces(graph, {
		...{ resolution, tables, quads, cubes: surface.cubes, quadsBefore, flags, vertexIds, caseAndFirst, duals: rows, dualCount },
	});
	return { ...found, faces: graph.output(faces) };
}

/** Makes the mesh of a surface and reads it. */
export async function meshOfSurface(device: Device, gpu: GraphRunner, given: Surface): Promise<ExtractedMesh> {
	const { withTopology } = given;
	const { resolution } = given.cubes;
	const [count, , dualCount] = given.sizes;
	if (count === 0) return { ...emptyMesh, topology: withTopology ? noTopology : undefined };
	const made = await gpu.run("surface", (graph) => recordSurface(graph, given));
	const valuesOf = (first: number, columns: number) => ({ ...elementOf(made.rows, first * dualCount), shape: [columns * dualCount] });
	const hasColors = made.channels === 10;
	const [positions, attributes, faces] = await readTogether(device, [
		...[valuesOf(0, 3), valuesOf(3, hasColors ? 6 : 0)],
		...(made.faces ? [made.faces] : []),
	]);
	return {
		positions: new Float32Array(positions.buffer),
		faces: faces ?? new Uint32Array(0),
		attributes: hasColors ? new Float32Array(attributes.buffer) : undefined,
		topology: withTopology
			? topologyOf(resolution, {
					cubes: await readUnsigned(device, made.cubeIds),
					cases: await readUnsigned(device, made.cubes),
					vertices: await readUnsigned(device, made.vertexIds),
					flags: await readUnsigned(device, made.flags),
				})
			: undefined,
		dispatchCount: gpu.dispatchCount,
	};
}

const noTopology: SurfaceTopology = {
	...{ cubes: new Uint32Array(0), originalCases: new Uint8Array(0), cases: new Uint8Array(0), edges: new Uint32Array(0) },
};

function topologyOf(
	resolution: number,
	lists: { readonly cubes: Uint32Array; readonly cases: Uint32Array; readonly vertices: Uint32Array; readonly flags: Uint32Array },
): SurfaceTopology {
	const side = resolution + 1;
	const steps = [-side, 1, side * side];
	const edges: number[] = [];
	lists.flags.forEach((flags, u) => {
		steps.forEach((step, k) => {
			if ((flags >> (6 + k)) & 1) edges.push(lists.vertices[u], lists.vertices[u] + step);
		});
	});
	return {
		cubes: lists.cubes,
		cases: Uint8Array.from(lists.cubes, (_, s) => lists.cases[s] & 255),
		originalCases: Uint8Array.from(lists.cubes, (_, s) => lists.cases[s] >> 8),
		edges: Uint32Array.from(edges),
	};
}

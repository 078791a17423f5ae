import type { Device } from "../gpu/device.ts";
import { describe, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { readTogether, readUnsigned } from "../gpu/transfer.ts";
import type { Graph } from "../graph/graph.ts";
import { type ActiveCubes, gridWords, markCubes, rowsOfCubes } from "../kernels/mesh/activeCubes.ts";
import { type BitSet, countOf, elementOf, membersOfBits, rankBits, rankMembers, setLength } from "../kernels/mesh/bitSet.ts";
import { deformedVertices } from "../kernels/mesh/deformedVertices.ts";
import { dualVertices } from "../kernels/mesh/dualVertices.ts";
import { insideCorners } from "../kernels/mesh/insideCorners.ts";
import { insideVertices, surfaceCases, surfaceCubes, surfaceDuals, surfaceEdges, surfaceFaces } from "../kernels/mesh/surfaceCubes.ts";
import { surfacePoints } from "../kernels/mesh/surfacePoints.ts";
import { prefixSum } from "../kernels/splat/prefixSum.ts";
import { type BitRank, emptyBits, mark, members, rankOf, rankBits as rankOnHost } from "./bitRank.ts";
import { checkGrid, checkResolution, gridCoordinates } from "./checkGrid.ts";
import { cubeCorners, packedTables } from "./flexicubesTables.ts";
import { type GraphRunner, graphRunner } from "./graphRunner.ts";
import type { Mesh } from "./mesh.ts";

/** What `extractMesh` needs. */
export interface ExtractMeshRequest {
	/**
	 * f32 [n, 53 or 101] of the mesh decoder: sdf 8, deform 24, weights 21, colours 48. Anything with memory: resident, or the output of
	 * another graph that has run and is not yet destroyed.
	 */
	readonly cubeFeatures: Tensor;
	/** [n, 3] x, y, z of each row, in any order, each cube once. */
	readonly coords: Int32Array;
	/** The same as i32 [n, 3] with memory, where they are on the GPU already. */
	readonly coordsOnDevice?: Tensor | undefined;
	/** Cubes per axis; 256 at full size. */
	readonly resolution: number;
	/** Computes the decoder's own vertex attributes too (unused after stage 2; the goldens have them). Needs 101 columns. */
	readonly withColors?: boolean | undefined;
	/** Added to the SDF channels, as a function of the vertex' undeformed position in [-0.5, 0.5]^3 (synthetic geometry). */
	readonly addedSdf?: ((x: number, y: number, z: number) => number) | undefined;
}

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

/**
 * Cube features to a mesh. Nothing of size 257^3 is made but sets of bits, on the GPU; the host reads how large lists are, and the mesh.
 * Upstream: SparseFeatures2Mesh.forward (cube2mesh.py) with FlexiCubes; reference/stage2/ARCHITECTURE.md section 8. An SDF without a
 * zero crossing gives a mesh without vertices. Throws code "input" for coordinates outside the grid or given twice.
 */
export async function extractMesh(device: Device, request: ExtractMeshRequest): Promise<ExtractedMesh> {
	const { cubeFeatures, coords, resolution, withColors = false, addedSdf } = request;
	const rows = coords.length / 3;
	if (cubeFeatures.dtype !== "f32" || cubeFeatures.shape[0] !== rows) {
		throw new Error(`extractMesh: cubeFeatures must be f32[${rows},53 or 101], got ${describe(cubeFeatures)}`);
	}
	checkResolution(resolution);
	if (rows === 0) return emptyMesh;
	if (addedSdf) checkGrid(coords, resolution);
	const features = withMemory(cubeFeatures);
	const gpu = graphRunner(device);
	try {
		const at = request.coordsOnDevice ? withMemory(request.coordsOnDevice) : gpu.upload("coords", [rows, 3], coords);
		const added = addedSdf && gpu.upload("added SDF", [rows, 8], sampledAtCorners(coords, resolution, addedSdf));
		const set = emptySet(gpu, "cubes", gridWords(resolution).cubes);
		const inside = gpu.upload("inside", [gridWords(resolution).vertices]);
		const ofSdf = { features, added, sdfBias: -1 / resolution };
		const surface = surfaceSets(gpu, resolution);
		const rowOfCube = await gpu.run("signs", (graph) => {
			markCubes(graph, at, resolution, set);
			rankBits(graph, set);
			const rowOfCube = graph.output(rowsOfCubes(graph, at, resolution, set));
			insideCorners(graph, { cubes: { resolution, set, rows: rowOfCube }, coords: at, ...ofSdf, inside });
			surfaceCubes(graph, { resolution, inside, ...surface });
			return rowOfCube;
		});
		const [cubeCount, ...sizes] = await gpu.numbers(countOf(set), ...sizesOf(surface));
		// As many bits as rows: none outside, none twice. Otherwise the host finds the row.
		if (cubeCount !== rows) checkGrid(coords, resolution);
		const cubes = { resolution, set, rows: withMemory(rowOfCube) };
		return await meshOfSurface(device, gpu, {
			...{ cubes, features, weightColumn: 32, inside, surface, sizes },
			points: (graph, vertexIds) => surfacePoints(graph, { vertexIds, cubes, ...ofSdf, withColors }),
		});
	} finally {
		gpu.end();
	}
}

/** A field on a sparse grid; every tensor has memory. */
export interface FlexicubesField {
	readonly resolution: number;
	/** Vertices with attributes, by linear id; all others are sdf +1, undeformed. */
	readonly vertices: BitRank;
	/** f32 [4 or 10, vertices.count] sdf, deform 3, colours 6 per vertex in ascending order; deform and colours raw. */
	readonly means: Tensor;
	/** f32 [n, columns] per active cube; 21 columns from `weightColumn` are beta 12, alpha 8, gamma 1; raw. */
	readonly features: Tensor;
	readonly weightColumn: number;
	/** Cubes with features, by linear id; all others have raw weights 0. */
	readonly cubes: BitRank;
	/** [cubes.count] row of `features` of each cube in ascending order. */
	readonly rowOfCube: Uint32Array;
	/** Reads the discrete part, too. */
	readonly withTopology?: boolean | undefined;
}

/** FlexiCubes without its quadratic-error step, as upstream runs it at inference. Vertices and faces in the official order. */
export async function flexicubes(device: Device, field: FlexicubesField): Promise<ExtractedMesh> {
	const { resolution, rowOfCube, means, features, weightColumn, withTopology } = field;
	const gpu = graphRunner(device);
	const upload = (label: string, { words }: BitRank) => emptySet(gpu, label, words.length, words);
	try {
		const [vertices, set] = [upload("vertices", field.vertices), upload("cubes", field.cubes)];
		const rows = gpu.upload("rows of cubes", [Math.max(1, rowOfCube.length)], rowOfCube.length > 0 ? rowOfCube : undefined);
		const surface = surfaceSets(gpu, resolution);
		const inside = await gpu.run("signs", (graph) => {
			for (const given of [vertices, set]) rankBits(graph, given);
			const inside = graph.output(insideVertices(graph, vertices, rowsOf(means, 0, 1)));
			surfaceCubes(graph, { resolution, inside, ...surface });
			return inside;
		});
		const sizes = await gpu.numbers(...sizesOf(surface));
		return await meshOfSurface(device, gpu, {
			...{ cubes: { resolution, set, rows }, features, weightColumn, withTopology, inside: withMemory(inside), surface, sizes },
			points: (graph, vertexIds) =>
				deformedVertices(graph, { vertexIds, vertexRows: rankMembers(graph, vertexIds, vertices), means, resolution }),
		});
	} finally {
		gpu.end();
	}
}

const emptyMesh: ExtractedMesh = Object.freeze({
	...{ positions: new Float32Array(0), faces: new Uint32Array(0), attributes: undefined },
	...{ topology: undefined, dispatchCount: 0 },
});

/** A set of these bits, or without members, until the runner ends; not ranked. */
function emptySet(gpu: GraphRunner, label: string, words: number, bits?: Uint32Array): BitSet {
	const values = bits && new Uint32Array(setLength(words));
	if (bits) values?.set(bits);
	return { words, tensor: gpu.upload(label, [setLength(words)], values) };
}

/** What `surfaceCubes` fills: the cubes that the surface goes through, the vertices at them, the numbers of loops and quads. */
interface SurfaceSets {
	readonly tables: Tensor;
	readonly cubes: BitSet;
	readonly vertices: BitSet;
	readonly sizes: Tensor;
}

function surfaceSets(gpu: GraphRunner, resolution: number): SurfaceSets {
	const words = gridWords(resolution);
	return {
		tables: gpu.upload("tables", [256, 8], packedTables()),
		cubes: emptySet(gpu, "surface cubes", words.cubes),
		vertices: emptySet(gpu, "surface vertices", words.vertices),
		sizes: gpu.upload("loops and quads", [2]),
	};
}

/** Numbers of cubes, vertices, loops and quads, for the host to read. */
function sizesOf({ cubes, vertices, sizes }: SurfaceSets): readonly Tensor[] {
	return [countOf(cubes), countOf(vertices), elementOf(sizes, 0), elementOf(sizes, 1)];
}

/** A surface whose cubes and vertices are known; every tensor has memory. */
interface Surface {
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

async function meshOfSurface(device: Device, gpu: GraphRunner, given: Surface): Promise<ExtractedMesh> {
	const { cubes: active, features, weightColumn, inside, surface, withTopology } = given;
	const { resolution } = active;
	const { tables } = surface;
	const [count, vertexCount, dualCount, quads] = given.sizes;
	if (count === 0) return { ...emptyMesh, topology: withTopology ? noTopology : undefined };
	const made = await gpu.run("surface", (graph) => {
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
	});
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

/** [n, 8] `sdf` at the corners of cubes [n, 3]; asked once for every vertex. */
function sampledAtCorners(coords: Int32Array, resolution: number, sdf: (x: number, y: number, z: number) => number): Float32Array {
	const side = resolution + 1;
	const offsets = cubeCorners.map(([x, y, z]) => (x * side + y) * side + z);
	const ids = new Uint32Array((coords.length / 3) * 8);
	for (let i = 0; i < ids.length; i++) {
		const row = (i >> 3) * 3;
		ids[i] = (coords[row] * side + coords[row + 1]) * side + coords[row + 2] + offsets[i & 7];
	}
	const bits = emptyBits(side ** 3);
	for (const id of ids) mark(bits, id);
	const vertices = rankOnHost(side ** 3, bits);
	const values = Float32Array.from(members(vertices), (vertex) => {
		const [x, y, z] = gridCoordinates(vertex, side);
		return sdf(x / resolution - 0.5, y / resolution - 0.5, z / resolution - 0.5);
	});
	const sampled = new Float32Array(ids.length);
	for (let i = 0; i < ids.length; i++) sampled[i] = values[rankOf(vertices, ids[i])];
	return sampled;
}

/** The tensor as a resident one: its memory belongs to somebody else and is there. */
function withMemory(tensor: Tensor): Tensor {
	if (tensor.storage.buffer === undefined) throw new Error(`${tensor.storage.label}: has no memory`);
	return reshape({ ...tensor, storage: { ...tensor.storage, kind: "resident" } }, tensor.shape);
}

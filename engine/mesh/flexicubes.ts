import type { Device } from "../gpu/device.ts";
import type { KernelVariant } from "../gpu/kernel.ts";
import { createTensor, describe, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { kernelsToCompile } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { gridWords, markCubes, rowsOfCubes } from "../kernels/mesh/activeCubes.ts";
import { type BitSet, countOf, rankBits, rankMembers } from "../kernels/mesh/bitSet.ts";
import { deformedVertices } from "../kernels/mesh/deformedVertices.ts";
import { insideCorners } from "../kernels/mesh/insideCorners.ts";
import { insideVertices, surfaceCubes } from "../kernels/mesh/surfaceCubes.ts";
import { surfacePoints } from "../kernels/mesh/surfacePoints.ts";
import { rankOfCell } from "../kernels/sparse/voxelSet.ts";
import { type BitRank, emptyBits, mark, members, rankBits as rankOnHost } from "./bitRank.ts";
import { checkGrid, checkResolution, gridCoordinates } from "./checkGrid.ts";
import { cubeCorners } from "./flexicubesTables.ts";
import { dtypeOf, graphRunner } from "./graphRunner.ts";
import {
	type ExtractedMesh,
	emptyMesh,
	meshOfSurface,
	recordSurface,
	type Surface,
	type SurfaceSets,
	sizesOf,
	surfaceSets,
	type Uploads,
	unrankedSet,
} from "./surfaceMesh.ts";

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
		const coordsOnDevice = request.coordsOnDevice ? withMemory(request.coordsOnDevice) : gpu.upload("coords", [rows, 3], coords);
		const added = addedSdf && gpu.upload("added SDF", [rows, 8], sampledAtCorners(coords, resolution, addedSdf));
		const work = workOnFeatures(gpu, { resolution, features, coords: coordsOnDevice, added });
		const rowOfCube = await gpu.run("signs", (graph) => recordSigns(graph, work));
		const [cubeCount, ...sizes] = await gpu.numbers(countOf(work.set), ...sizesOf(work.surface));
		// As many bits as rows: none outside, none twice. Otherwise the host finds the row.
		if (cubeCount !== rows) checkGrid(coords, resolution);
		return await meshOfSurface(device, gpu, surfaceOfFeatures(work, withMemory(rowOfCube), sizes, withColors));
	} finally {
		gpu.end();
	}
}

/**
 * The kernels that `extractMesh` will run on these cube features, which need no memory yet: the driver compiles them while something else runs.
 * They depend on sizes that are not known yet in a prefix sum of more than 4 million numbers alone.
 */
export function extractMeshKernels(
	device: Device,
	request: Pick<ExtractMeshRequest, "cubeFeatures" | "resolution" | "withColors"> & { readonly hasAddedSdf: boolean },
): readonly KernelVariant[] {
	const { resolution, withColors = false, hasAddedSdf } = request;
	const [rows] = request.cubeFeatures.shape;
	const without: Uploads = { upload: (label, shape, values) => createTensor(label, dtypeOf(values), shape, "resident") };
	const work = workOnFeatures(without, {
		...{ resolution, features: createTensor("features", "f32", request.cubeFeatures.shape, "resident") },
		coords: createTensor("coords", "i32", [rows, 3], "resident"),
		added: hasAddedSdf ? createTensor("added SDF", "f32", [rows, 8], "resident") : undefined,
	});
	const graph = new Graph(device, "mesh");
	const rowOfCube = recordSigns(graph, work);
	recordSurface(graph, surfaceOfFeatures(work, rowOfCube, [rows, rows, rows, rows], withColors));
	return kernelsToCompile(graph);
}

/** What `extractMesh` finds the signs with. */
interface FeaturesWork {
	readonly resolution: number;
	readonly features: Tensor;
	readonly coords: Tensor;
	/** See `insideCorners`. */
	readonly added: Tensor | undefined;
	readonly sdfBias: number;
	/** Cubes with features. */
	readonly set: BitSet;
	readonly inside: Tensor;
	readonly surface: SurfaceSets;
}

function workOnFeatures(memory: Uploads, given: Pick<FeaturesWork, "resolution" | "features" | "coords" | "added">): FeaturesWork {
	const { resolution } = given;
	const words = gridWords(resolution);
	return {
		...{ ...given, sdfBias: -1 / resolution, set: unrankedSet(memory, "cubes", words.cubes) },
		...{ inside: memory.upload("inside", [words.vertices]), surface: surfaceSets(memory, resolution) },
	};
}

/** Records the set of cubes and what the surface goes through; gives the row of every cube. */
function recordSigns(graph: Graph, work: FeaturesWork): Tensor {
	const { resolution, coords, set, inside, surface } = work;
	markCubes(graph, coords, resolution, set);
	rankBits(graph, set);
	const rows = graph.output(rowsOfCubes(graph, coords, resolution, set));
	insideCorners(graph, { ...work, cubes: { resolution, set, rows } });
	surfaceCubes(graph, { resolution, inside, ...surface });
	return rows;
}

function surfaceOfFeatures(work: FeaturesWork, rows: Tensor, sizes: readonly number[], withColors: boolean): Surface {
	const { resolution, set, features, added, sdfBias, inside, surface } = work;
	const cubes = { resolution, set, rows };
	return {
		...{ cubes, features, weightColumn: 32, inside, surface, sizes },
		points: (graph, vertexIds) => surfacePoints(graph, { vertexIds, cubes, features, added, sdfBias, withColors }),
	};
}

/** A field on a sparse grid; every tensor has memory. */
export interface FlexicubesField {
	readonly resolution: number;
	/** Vertices with attributes, by linear id; all others are sdf +1, undeformed. */
	readonly vertices: Pick<BitRank, "words">;
	/** f32 [4 or 10, vertices] sdf, deform 3, colours 6 per vertex in ascending order; deform and colours raw. */
	readonly means: Tensor;
	/** f32 [n, columns] per active cube; 21 columns from `weightColumn` are beta 12, alpha 8, gamma 1; raw. */
	readonly features: Tensor;
	readonly weightColumn: number;
	/** Cubes with features, by linear id; all others have raw weights 0. */
	readonly cubes: Pick<BitRank, "words">;
	/** [cubes] row of `features` of each cube in ascending order. */
	readonly rowOfCube: Uint32Array;
	/** Reads the discrete part, too. */
	readonly withTopology?: boolean | undefined;
}

/** FlexiCubes without its quadratic-error step, as upstream runs it at inference. Vertices and faces in the official order. */
export async function flexicubes(device: Device, field: FlexicubesField): Promise<ExtractedMesh> {
	const { resolution, rowOfCube, means, features, weightColumn, withTopology } = field;
	const gpu = graphRunner(device);
	const upload = (label: string, { words }: Pick<BitRank, "words">) => unrankedSet(gpu, label, words.length, words);
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
	for (let i = 0; i < ids.length; i++) sampled[i] = values[rankOfCell(vertices, ids[i])];
	return sampled;
}

/** The tensor as a resident one: its memory belongs to somebody else and is there. */
function withMemory(tensor: Tensor): Tensor {
	if (tensor.storage.buffer === undefined) throw new Error(`${tensor.storage.label}: has no memory`);
	return reshape({ ...tensor, storage: { ...tensor.storage, kind: "resident" } }, tensor.shape);
}

import type { Device } from "../gpu/device.ts";
import { describe, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { readTensor, release, residentTensor } from "../gpu/transfer.ts";
import { compileGraph } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { deformedVertices } from "../kernels/mesh/deformedVertices.ts";
import { dualVertices } from "../kernels/mesh/dualVertices.ts";
import { vertexMeans } from "../kernels/mesh/vertexMeans.ts";
import { type BitRank, members, rankOf } from "./bitRank.ts";
import type { Mesh } from "./mesh.ts";
import { gridCoordinates, type SparseGrid, sparseGrid } from "./sparseGrid.ts";
import { type SurfaceTopology, surfaceTopology, trianglesOfQuads } from "./surfaceTopology.ts";

/** What `extractMesh` needs. */
export interface ExtractMeshRequest {
	/**
	 * f32 [n, 53 or 101] of the mesh decoder: sdf 8, deform 24, weights 21, colours 48. Anything with memory: resident, or the output of
	 * another graph that has run and is not yet destroyed.
	 */
	readonly cubeFeatures: Tensor;
	/** [n, 3] x, y, z of each row, in any order, each cube once. */
	readonly coords: Int32Array;
	/** Cubes per axis; 256 at full size. */
	readonly resolution: number;
	/** Computes the decoder's own vertex attributes too (unused after stage 2; the goldens have them). Needs 101 columns. */
	readonly withColors?: boolean | undefined;
	/** Added to the SDF channels, as a function of the vertex' undeformed position in [-0.5, 0.5]^3 (synthetic geometry). */
	readonly addedSdf?: ((x: number, y: number, z: number) => number) | undefined;
}

/** What FlexiCubes gives. */
export interface ExtractedMesh extends Mesh {
	/** [v, 6] colour and normal as the decoder predicts them, 0..1; only where asked for. */
	readonly attributes: Float32Array | undefined;
	/** Cubes, cases and edges the mesh was made from. */
	readonly topology: SurfaceTopology;
	/** Kernel calls that were made. */
	readonly dispatchCount: number;
}

/**
 * Cube features to a mesh. Nothing of size 257^3 is made but sets of bits: indices are built on the host from coordinates and signs,
 * numbers on the GPU. Upstream: SparseFeatures2Mesh.forward (cube2mesh.py) with FlexiCubes; reference/stage2/ARCHITECTURE.md section 8.
 * An SDF without a zero crossing gives a mesh without vertices. Throws code "input" for coordinates outside the grid or given twice.
 */
export async function extractMesh(device: Device, request: ExtractMeshRequest): Promise<ExtractedMesh> {
	const { cubeFeatures, coords, resolution, withColors = false, addedSdf } = request;
	if (cubeFeatures.dtype !== "f32" || cubeFeatures.shape[0] * 3 !== coords.length) {
		throw new Error(`extractMesh: cubeFeatures must be f32[${coords.length / 3},53 or 101], got ${describe(cubeFeatures)}`);
	}
	const grid = sparseGrid(coords, resolution);
	const owned: Tensor[] = [];
	const upload = (label: string, shape: readonly number[], values: Uint32Array | Float32Array) => {
		const tensor = residentTensor(device, label, values instanceof Float32Array ? "f32" : "u32", shape, values);
		owned.push(tensor);
		return tensor;
	};
	try {
		const features = withMemory(cubeFeatures);
		const graph = new Graph(device, "vertexMeans");
		const means = graph.output(
			vertexMeans(graph, {
				features,
				cubesOfVertex: upload("cubesOfVertex", [grid.vertices.count, 8], grid.cubesOfVertex),
				added: addedSdf && upload("addedSdf", [grid.vertices.count], sampleAtVertices(grid, addedSdf)),
				sdfBias: -1 / resolution,
				withColors,
			}),
		);
		const executable = await compileGraph(graph);
		try {
			await executable.run();
			const field = {
				resolution,
				vertices: grid.vertices,
				means: withMemory(means),
				features,
				weightColumn: 32,
				cubes: grid.cubes,
				rowOfCube: grid.rowOfCube,
			};
			const mesh = await flexicubes(device, field);
			return { ...mesh, dispatchCount: mesh.dispatchCount + executable.dispatchCount };
		} finally {
			executable.destroy();
		}
	} finally {
		for (const tensor of owned) release(device, tensor.storage);
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
}

/** FlexiCubes without its quadratic-error step, as upstream runs it at inference. Vertices and faces in the official order. */
export async function flexicubes(device: Device, field: FlexicubesField): Promise<ExtractedMesh> {
	const { resolution, vertices, cubes, rowOfCube } = field;
	const [channels, vertexCount] = field.means.shape;
	const sdf = await readTensor(device, rowsOf(field.means, 0, 1));
	const topology = surfaceTopology(resolution, vertices, sdf);
	const dualCount = topology.duals.length / 2;
	const empty = { positions: new Float32Array(0), faces: new Uint32Array(0), attributes: undefined, topology, dispatchCount: 0 };
	if (dualCount === 0 || vertexCount === 0) return empty;
	const featureRows = topology.cubes.map((cube) => {
		const rank = rankOf(cubes, cube);
		return rowOfCube[rank] ?? rank; // `absent` stays
	});
	const graph = new Graph(device, "flexicubes");
	const inputs: [Tensor, Uint32Array][] = [];
	const input = (label: string, shape: readonly number[], values: Uint32Array) => {
		const tensor = graph.input(label, "u32", shape);
		inputs.push([tensor, values]);
		return tensor;
	};
	const points = deformedVertices(graph, {
		vertexIds: input("vertexIds", [topology.vertices.length], topology.vertices),
		vertexRows: input(
			"vertexRows",
			[topology.vertices.length],
			topology.vertices.map((vertex) => rankOf(vertices, vertex)),
		),
		means: field.means,
		resolution,
	});
	const duals = graph.output(
		dualVertices(graph, {
			features: field.features,
			weightColumn: field.weightColumn,
			featureRows: input("featureRows", [topology.cubes.length], featureRows),
			corners: input("corners", [topology.cubes.length, 8], topology.corners),
			points,
			duals: input("duals", [dualCount, 2], topology.duals),
		}),
	);
	const executable = await compileGraph(graph);
	try {
		for (const [tensor, values] of inputs) executable.write(tensor, values);
		await executable.run();
		const rows = await executable.read(duals);
		const take = (first: number, count: number) => {
			const part = new Float32Array(dualCount * count);
			for (let d = 0; d < dualCount; d++) for (let k = 0; k < count; k++) part[d * count + k] = rows[d * channels + first + k];
			return part;
		};
		return {
			positions: take(0, 3),
			faces: trianglesOfQuads(topology.quads, (dual) => rows[dual * channels + 3]),
			attributes: channels === 10 ? take(4, 6) : undefined,
			topology,
			dispatchCount: executable.dispatchCount,
		};
	} finally {
		executable.destroy();
	}
}

function sampleAtVertices(grid: SparseGrid, sdf: (x: number, y: number, z: number) => number): Float32Array {
	const side = grid.resolution + 1;
	return Float32Array.from(members(grid.vertices), (vertex) => {
		const [x, y, z] = gridCoordinates(vertex, side);
		return sdf(x / grid.resolution - 0.5, y / grid.resolution - 0.5, z / grid.resolution - 0.5);
	});
}

/** The tensor as a resident one: its memory belongs to somebody else and is there. */
function withMemory(tensor: Tensor): Tensor {
	if (tensor.storage.buffer === undefined) throw new Error(`${tensor.storage.label}: has no memory`);
	return reshape({ ...tensor, storage: { ...tensor.storage, kind: "resident" } }, tensor.shape);
}

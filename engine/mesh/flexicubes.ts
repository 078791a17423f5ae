import type { Device } from "../gpu/device.ts";
import { describe, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { readTogether, readUnsigned } from "../gpu/transfer.ts";
import type { Graph } from "../graph/graph.ts";
import { cubesOfVertices, gridWords, markCubes, rowsOfCubes } from "../kernels/mesh/activeCubes.ts";
import { type BitSet, elementOf, membersOfBits, rankedBits, rankMembers } from "../kernels/mesh/bitSet.ts";
import { deformedVertices } from "../kernels/mesh/deformedVertices.ts";
import { dualVertices } from "../kernels/mesh/dualVertices.ts";
import { insideVertices, surfaceCases, surfaceCubes, surfaceDuals, surfaceEdges, surfaceFaces } from "../kernels/mesh/surfaceCubes.ts";
import { vertexMeans } from "../kernels/mesh/vertexMeans.ts";
import { prefixSum } from "../kernels/splat/prefixSum.ts";
import type { BitRank } from "./bitRank.ts";
import { checkGrid, checkResolution, gridCoordinates } from "./checkGrid.ts";
import { packedTables } from "./flexicubesTables.ts";
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
	const features = withMemory(cubeFeatures);
	const words = gridWords(resolution);
	const gpu = graphRunner(device);
	try {
		const constants = surfaceConstants(gpu, resolution);
		const at = request.coordsOnDevice ? withMemory(request.coordsOnDevice) : gpu.upload("coords", [rows, 3], coords);
		const marks = { cubes: gpu.upload("cube bits", [words.cubes]), vertices: gpu.upload("vertex bits", [words.vertices]) };
		const [cubes, vertices] = await gpu.run("active cubes", (graph) => {
			markCubes(graph, at, resolution, marks.cubes, marks.vertices);
			return [rankedBits(graph, marks.cubes), rankedBits(graph, marks.vertices)];
		});
		const [cubeCount, vertexCount] = await gpu.numbers(cubes.count, vertices.count);
		// As many bits as rows: none outside, none twice. Otherwise the host finds the row.
		if (cubeCount !== rows) checkGrid(coords, resolution);
		const active = { cubes: withMemory(cubes.bits), vertices: withMemory(vertices.bits) };
		const listsOf = (graph: Graph) => {
			const rowOfCube = graph.output(rowsOfCubes(graph, at, resolution, active.cubes));
			const vertexIds = membersOfBits(graph, active.vertices, vertexCount);
			return { rowOfCube, vertexIds, cubesOfVertex: cubesOfVertices(graph, vertexIds, resolution, active.cubes, rowOfCube) };
		};
		const valuesOf = (graph: Graph, cubesOfVertex: Tensor, added?: Tensor) => {
			const means = graph.output(vertexMeans(graph, { features, cubesOfVertex, added, sdfBias: -1 / resolution, withColors }));
			return { means, signs: recordSigns(graph, active.vertices, means, resolution, constants) };
		};
		const { rowOfCube, means, signs } =
			addedSdf === undefined
				? await gpu.run("vertex values", (graph) => {
						const { rowOfCube, cubesOfVertex } = listsOf(graph);
						return { rowOfCube, ...valuesOf(graph, cubesOfVertex) };
					})
				: await withAdded(addedSdf);
		return await surface(
			device,
			gpu,
			{
				...{ resolution, features, weightColumn: 32, means: withMemory(means) },
				...{ vertices: active.vertices, cubes: active.cubes, rowOfCube: withMemory(rowOfCube) },
			},
			signs,
		);

		/** What is added is known on the host alone: it reads which vertices there are first. */
		async function withAdded(sdf: NonNullable<typeof addedSdf>) {
			const lists = await gpu.run("cubes of vertices", (graph) => {
				const { vertexIds, cubesOfVertex, ...other } = listsOf(graph);
				return { ...other, vertexIds: graph.output(vertexIds), cubesOfVertex: graph.output(cubesOfVertex) };
			});
			const added = gpu.upload("addedSdf", [vertexCount], sampled(await readUnsigned(device, lists.vertexIds), resolution, sdf));
			const values = await gpu.run("vertex values", (graph) => valuesOf(graph, withMemory(lists.cubesOfVertex), added));
			return { rowOfCube: lists.rowOfCube, ...values };
		}
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
	const { rowOfCube } = field;
	const gpu = graphRunner(device);
	const upload = (label: string, { words, ranks }: BitRank) => {
		const pairs = new Uint32Array(words.length * 2);
		for (let word = 0; word < words.length; word++) pairs.set([words[word], ranks[word]], word * 2);
		return gpu.upload(label, [words.length, 2], pairs);
	};
	try {
		return await surface(device, gpu, {
			...field,
			vertices: upload("vertices", field.vertices),
			cubes: upload("cubes", field.cubes),
			rowOfCube: gpu.upload("rows of cubes", [Math.max(1, rowOfCube.length)], rowOfCube.length > 0 ? rowOfCube : undefined),
		});
	} finally {
		gpu.end();
	}
}

/** A field whose sets (u32 [words, 2], see `rankedBits`) are on the GPU. */
interface FieldOnDevice extends Omit<FlexicubesField, "vertices" | "cubes" | "rowOfCube"> {
	readonly vertices: Tensor;
	readonly cubes: Tensor;
	readonly rowOfCube: Tensor;
}

const emptyMesh: ExtractedMesh = Object.freeze({
	...{ positions: new Float32Array(0), faces: new Uint32Array(0), attributes: undefined },
	...{ topology: undefined, dispatchCount: 0 },
});

/** What finding the surface starts from: the tables, no vertices, no loops and quads. */
interface SurfaceConstants {
	readonly tables: Tensor;
	readonly vertexBits: Tensor;
	readonly sizes: Tensor;
}

function surfaceConstants(gpu: GraphRunner, resolution: number): SurfaceConstants {
	return {
		tables: gpu.upload("tables", [256, 8], packedTables()),
		vertexBits: gpu.upload("surface vertex bits", [gridWords(resolution).vertices]),
		sizes: gpu.upload("loops and quads", [2]),
	};
}

/** The vertices inside, and what the surface goes through and how large it is, as outputs of the graph. */
interface Signs extends SurfaceConstants {
	readonly inside: Tensor;
	readonly cubes: BitSet;
	readonly vertices: BitSet;
}

function recordSigns(graph: Graph, vertices: Tensor, means: Tensor, resolution: number, constants: SurfaceConstants): Signs {
	const { tables, vertexBits, sizes } = constants;
	const inside = graph.output(insideVertices(graph, vertices, rowsOf(means, 0, 1)));
	const cubes = surfaceCubes(graph, { resolution, inside, tables, vertices: vertexBits, sizes });
	return { ...constants, inside, cubes: rankedBits(graph, cubes), vertices: rankedBits(graph, vertexBits) };
}

/** `given`: the signs, where they are known. */
async function surface(device: Device, gpu: GraphRunner, field: FieldOnDevice, given?: Signs): Promise<ExtractedMesh> {
	const { resolution, means, features, weightColumn } = field;
	const [channels, known] = means.shape;
	const signs =
		given ?? (await gpu.run("signs", (graph) => recordSigns(graph, field.vertices, means, resolution, surfaceConstants(gpu, resolution))));
	const [count, vertexCount, dualCount, quads] = await gpu.numbers(
		...[signs.cubes.count, signs.vertices.count, elementOf(signs.sizes, 0), elementOf(signs.sizes, 1)],
	);
	if (count === 0 || known === 0) return { ...emptyMesh, topology: field.withTopology ? noTopology : undefined };
	const { tables } = signs;
	const [inside, cubeSet, vertexSet] = [signs.inside, signs.cubes.bits, signs.vertices.bits].map(withMemory);
	const made = await gpu.run("surface", (graph) => {
		const cubeIds = membersOfBits(graph, cubeSet, count);
		const { cubes, loopsBefore } = surfaceCases(graph, { resolution, cubeIds, inside, tables });
		const vertexIds = membersOfBits(graph, vertexSet, vertexCount);
		const vertexRows = rankMembers(graph, vertexIds, field.vertices);
		const points = deformedVertices(graph, { vertexIds, vertexRows, means, resolution });
		const { corners, duals, caseAndFirst } = surfaceDuals(graph, {
			...{ resolution, cubeIds, cubes, loopsBefore, tables, duals: dualCount, vertices: vertexSet },
		});
		const featureRows = rankMembers(graph, cubeIds, field.cubes, field.rowOfCube);
		const rows = graph.output(dualVertices(graph, { features, weightColumn, featureRows, corners, points, duals }));
		const edges = surfaceEdges(graph, vertexIds, inside, points, resolution);
		if (field.withTopology) for (const tensor of [cubeIds, cubes, vertexIds, edges]) graph.output(tensor);
		if (quads === 0) return { rows, cubeIds, cubes, vertexIds, edges, faces: undefined };
		const quadsBefore = prefixSum(graph, { values: { ...edges, shape: [6 * vertexCount] } });
		const faces = surfaceFaces(graph, {
			...{ resolution, tables, quads, cubes: cubeSet, quadsBefore, vertexIds, caseAndFirst, duals: rows, dualCount },
		});
		return { rows, cubeIds, cubes, vertexIds, edges, faces: graph.output(faces) };
	});
	const valuesOf = (first: number, columns: number) => ({ ...elementOf(made.rows, first * dualCount), shape: [columns * dualCount] });
	const hasColors = channels === 10;
	const [positions, attributes, faces] = await readTogether(device, [
		...[valuesOf(0, 3), valuesOf(3, hasColors ? 6 : 0)],
		...(made.faces ? [made.faces] : []),
	]);
	return {
		positions: new Float32Array(positions.buffer),
		faces: faces ?? new Uint32Array(0),
		attributes: hasColors ? new Float32Array(attributes.buffer) : undefined,
		topology: field.withTopology
			? topologyOf(resolution, {
					cubes: await readUnsigned(device, made.cubeIds),
					cases: await readUnsigned(device, made.cubes),
					vertices: await readUnsigned(device, made.vertexIds),
					edges: (await readUnsigned(device, made.edges)).subarray(6 * vertexCount),
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
	lists: { readonly cubes: Uint32Array; readonly cases: Uint32Array; readonly vertices: Uint32Array; readonly edges: Uint32Array },
): SurfaceTopology {
	const side = resolution + 1;
	const steps = [-side, 1, side * side];
	const edges: number[] = [];
	lists.edges.forEach((crossed, i) => {
		const vertex = lists.vertices[Math.floor(i / 3)];
		if (crossed === 1) edges.push(vertex, vertex + steps[i % 3]);
	});
	return {
		cubes: lists.cubes,
		cases: Uint8Array.from(lists.cubes, (_, s) => lists.cases[s] & 255),
		originalCases: Uint8Array.from(lists.cubes, (_, s) => lists.cases[s] >> 8),
		edges: Uint32Array.from(edges),
	};
}

/** `sdf` at vertices with these ids. */
function sampled(ids: Uint32Array, resolution: number, sdf: (x: number, y: number, z: number) => number): Float32Array {
	return Float32Array.from(ids, (vertex) => {
		const [x, y, z] = gridCoordinates(vertex, resolution + 1);
		return sdf(x / resolution - 0.5, y / resolution - 0.5, z / resolution - 0.5);
	});
}

/** The tensor as a resident one: its memory belongs to somebody else and is there. */
function withMemory(tensor: Tensor): Tensor {
	if (tensor.storage.buffer === undefined) throw new Error(`${tensor.storage.label}: has no memory`);
	return reshape({ ...tensor, storage: { ...tensor.storage, kind: "resident" } }, tensor.shape);
}

import type { Device } from "../gpu/device.ts";
import { describe, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { readTogether, readUnsigned } from "../gpu/transfer.ts";
import type { Graph } from "../graph/graph.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
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
			return { means, signs: recordSigns(graph, active.vertices, means, resolution) };
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

/** The vertices inside, and the cubes that the surface goes through, as outputs of the graph. */
interface Signs {
	readonly inside: Tensor;
	readonly cubes: BitSet;
}

function recordSigns(graph: Graph, vertices: Tensor, means: Tensor, resolution: number): Signs {
	const inside = graph.output(insideVertices(graph, vertices, rowsOf(means, 0, 1)));
	return { inside, cubes: rankedBits(graph, surfaceCubes(graph, inside, resolution)) };
}

/** `given`: the signs, where they are known. */
async function surface(device: Device, gpu: GraphRunner, field: FieldOnDevice, given?: Signs): Promise<ExtractedMesh> {
	const { resolution, means, features, weightColumn } = field;
	const [channels, known] = means.shape;
	const signs = given ?? (await gpu.run("signs", (graph) => recordSigns(graph, field.vertices, means, resolution)));
	const [count] = await gpu.numbers(signs.cubes.count);
	if (count === 0 || known === 0) return { ...emptyMesh, topology: field.withTopology ? noTopology : undefined };
	const [inside, cubeSet] = [withMemory(signs.inside), withMemory(signs.cubes.bits)];
	const tables = gpu.upload("tables", [256, 8], packedTables());
	const vertexBits = gpu.upload("surface vertex bits", [gridWords(resolution).vertices]);
	const found = await gpu.run("cases", (graph) => {
		const cubeIds = graph.output(membersOfBits(graph, cubeSet, count));
		const cased = surfaceCases(graph, {
			...{ resolution, cubeIds, inside, tables, vertices: vertexBits },
		});
		graph.output(cased.cubes);
		graph.output(cased.loopsBefore);
		return { cubeIds, ...cased, vertices: rankedBits(graph, vertexBits) };
	});
	const [dualCount, vertexCount] = await gpu.numbers(elementOf(found.loopsBefore, 4 * count), found.vertices.count);
	const made = await gpu.run("dual vertices", (graph) => {
		const vertexSet = withMemory(found.vertices.bits);
		const vertexIds = graph.output(membersOfBits(graph, vertexSet, vertexCount));
		const vertexRows = rankMembers(graph, vertexIds, field.vertices);
		const points = deformedVertices(graph, { vertexIds, vertexRows, means, resolution });
		const cased = surfaceDuals(graph, {
			...{ resolution, tables, duals: dualCount, vertices: vertexSet },
			...{ cubeIds: withMemory(found.cubeIds), cubes: withMemory(found.cubes), loopsBefore: withMemory(found.loopsBefore) },
		});
		const { corners, duals } = cased;
		const featureRows = rankMembers(graph, withMemory(found.cubeIds), field.cubes, field.rowOfCube);
		const rows = graph.output(dualVertices(graph, { features, weightColumn, featureRows, corners, points, duals }));
		const columns = (xColumn: number, width: number) =>
			graph.output(
				copyColumns(graph, { x: rows, xColumn, columns: width, into: { tensor: graph.tensor("columns", "f32", [dualCount, width]) } }),
			);
		const read = { positions: columns(0, 3), attributes: channels === 10 ? columns(4, 6) : undefined };
		const edges = surfaceEdges(graph, vertexIds, inside, points, resolution);
		if (field.withTopology) graph.output(edges);
		const quadsBefore = graph.output(prefixSum(graph, { values: { ...edges, shape: [6 * vertexCount] } }));
		return { vertexIds, rows, edges, quadsBefore, caseAndFirst: graph.output(cased.caseAndFirst), ...read };
	});
	const [quads] = await gpu.numbers(elementOf(made.quadsBefore, 6 * vertexCount));
	const faces =
		quads > 0 &&
		(await gpu.run("faces", (graph) =>
			graph.output(
				surfaceFaces(graph, {
					...{ resolution, tables, quads, cubes: cubeSet },
					...{ quadsBefore: withMemory(made.quadsBefore), vertexIds: withMemory(made.vertexIds) },
					...{ caseAndFirst: withMemory(made.caseAndFirst), duals: withMemory(made.rows) },
				}),
			),
		));
	const read = await readTogether(device, [made.positions, ...(made.attributes ? [made.attributes] : []), ...(faces ? [faces] : [])]);
	const [positions, attributes] = read.map((values) => new Float32Array(values.buffer));
	return {
		positions,
		faces: faces ? read[read.length - 1] : new Uint32Array(0),
		attributes: made.attributes && attributes,
		topology: field.withTopology
			? topologyOf(resolution, {
					cubes: await readUnsigned(device, found.cubeIds),
					cases: await readUnsigned(device, found.cubes),
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

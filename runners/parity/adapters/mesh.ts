import type { Device } from "../../../engine/gpu/device.ts";
import type { DType, Tensor } from "../../../engine/gpu/tensor.ts";
import { release, residentTensor, type TensorValues } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { deformedVertices } from "../../../engine/kernels/mesh/deformedVertices.ts";
import { type BitRank, emptyBits, mark, members, rankBits } from "../../../engine/mesh/bitRank.ts";
import { extractMesh, flexicubes } from "../../../engine/mesh/flexicubes.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";

/**
 * Vertices [v, 3], faces [f, 3] and attributes [v, 6] that `extractMesh` makes of cube features [n, 101] at coords [n, 4] (batch, x, y, z):
 * features_to_mesh, and the second half of slat_decoder_mesh_extract from the golden's own `feats`.
 */
export async function meshFromFeatures(
	device: Device,
	features: HostTensor,
	coords: HostTensor,
	resolution: number,
): Promise<ParityOutputs> {
	const cubeFeatures = residentTensor(device, "features", "f32", features.shape, features.data as Float32Array);
	try {
		const withoutBatch = Int32Array.from(coords.data as Int32Array).filter((_, i) => i % 4 !== 0);
		const mesh = await extractMesh(device, { cubeFeatures, coords: withoutBatch, resolution, withColors: true });
		return new Map<string, HostTensor>([
			["vertices", { shape: [mesh.positions.length / 3, 3], data: mesh.positions }],
			["faces", { shape: [mesh.faces.length / 3, 3], data: mesh.faces }],
			["vertex_attrs", { shape: [mesh.positions.length / 3, 6], data: mesh.attributes ?? new Float32Array(0) }],
		]);
	} finally {
		release(device, cubeFeatures.storage);
	}
}

async function runFeaturesToMesh(context: ParityContext): Promise<ParityOutputs> {
	return meshFromFeatures(await context.device(), await context.input("feats"), await context.input("coords"), context.config.args.res);
}

/** A dense field: every vertex and every cube of the grid has values. */
async function runFlexicubes(context: ParityContext): Promise<ParityOutputs> {
	const device = await context.device();
	const resolution: number = context.config.args.res;
	const [vertexCount, cubeCount] = [(resolution + 1) ** 3, resolution ** 3];
	const columns = ["sdf", "deform", "colors"].map((name) => context.input(name));
	const means = new Float32Array(vertexCount * 10);
	let channel = 0;
	for (const { shape, data } of await Promise.all(columns)) {
		const width = shape[1] ?? 1;
		for (let k = 0; k < width; k++, channel++) for (let v = 0; v < vertexCount; v++) means[channel * vertexCount + v] = data[v * width + k];
	}
	const owned: Tensor[] = [];
	const upload = (label: string, dtype: DType, shape: readonly number[], values: TensorValues) => {
		const tensor = residentTensor(device, label, dtype, shape, values);
		owned.push(tensor);
		return tensor;
	};
	try {
		const field = {
			resolution,
			vertices: everything(vertexCount),
			means: upload("means", "f32", [10, vertexCount], means),
			features: upload("weights", "f32", [cubeCount, 21], (await context.input("weights")).data as Float32Array),
			weightColumn: 0,
			cubes: everything(cubeCount),
			rowOfCube: members(everything(cubeCount)),
			withTopology: true,
		};
		const mesh = await flexicubes(device, field);
		const graph = new Graph(device, "deformedVertices");
		const all = upload("all", "u32", [vertexCount], members(field.vertices));
		const points = graph.output(deformedVertices(graph, { vertexIds: all, vertexRows: all, means: field.means, resolution }));
		const executable = await compileGraph(graph);
		await executable.run();
		const deformed = (await executable.read(points)).filter((_, i) => i % 10 < 3);
		executable.destroy();
		const { topology } = mesh;
		if (topology === undefined) throw new Error("flexicubes: no topology");
		const { cubes, originalCases, cases, edges } = topology;
		return new Map<string, HostTensor>([
			["deformed_vertices", { shape: [vertexCount, 3], data: deformed }],
			["surf_cubes", { shape: [cubes.length], data: cubes }],
			["case_raw", { shape: [cubes.length], data: originalCases }],
			["case_final", { shape: [cubes.length], data: cases }],
			["surf_edges", { shape: [edges.length / 2, 2], data: edges }],
			["vertices", { shape: [mesh.positions.length / 3, 3], data: mesh.positions }],
			["faces", { shape: [mesh.faces.length / 3, 3], data: mesh.faces }],
			["colors", { shape: [mesh.positions.length / 3, 6], data: mesh.attributes ?? new Float32Array(0) }],
		]);
	} finally {
		for (const tensor of owned) release(device, tensor.storage);
	}
}

function everything(size: number): BitRank {
	const words = emptyBits(size);
	for (let id = 0; id < size; id++) mark(words, id);
	return rankBits(size, words);
}

const shapes = ["sphere", "torus", "two_spheres", "sheet", "noise", "white"];

/** FlexiCubes from dense fields, and from cube features. Face normals are no output of ours. */
export const adapters: Adapters = {
	...Object.fromEntries(
		shapes.map((shape) => [
			`flexicubes_${shape}`,
			{ runs: "device" as const, required: (names: readonly string[]) => names, run: runFlexicubes },
		]),
	),
	features_to_mesh: { runs: "device", required: (names) => names.filter((name) => name !== "face_normal"), run: runFeaturesToMesh },
};

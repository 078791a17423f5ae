import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { release, residentTensor } from "../gpu/transfer.ts";
import type { Executable } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { bodyField } from "../kernels/mesh/bodyField.ts";
import { emptyBits, mark } from "../mesh/bitRank.ts";
import { flexicubes } from "../mesh/flexicubes.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { extended, type PairDepths } from "./bodyDepths.ts";

/** A recorded field of a body; compile `graph`, then `fillBodyField`. */
export interface BodyFieldGraph {
	readonly graph: Graph;
	readonly silhouettes: Tensor;
	readonly depths: Tensor;
	/** f32 [resolution + 1, resolution + 1, resolution + 1] */
	readonly field: Tensor;
	readonly resolution: number;
}

/** Records the field of views of `size` pixels and depths of `side` pixels a side on a grid of `resolution` cubes. */
export function recordBodyField(device: Device, size: number, side: number, resolution: number): BodyFieldGraph {
	const graph = new Graph(device, "body field");
	const silhouettes = graph.input("silhouettes", "f32", [2, size, size]);
	const depths = graph.input("depths", "f32", [4, side, side, 2]);
	return { graph, silhouettes, depths, field: graph.output(bodyField(graph, { silhouettes, depths, resolution })), resolution };
}

/** A surface that faces its camera less is taken to face it this much: beside a rim a depth says little about the distance. */
const leastFacing = 0.3;
/** Pixels beyond the silhouette that depths are carried on. */
const rings = 4;

/** Runs a recorded field: silhouettes in pixels (`bodySilhouettes`), depths in pixels of their level (`bodyDepths`). */
export async function fillBodyField(
	executable: Executable,
	recorded: BodyFieldGraph,
	distances: readonly [Float32Array, Float32Array],
	pairs: readonly [PairDepths, PairDepths],
): Promise<Float32Array> {
	const size = recorded.silhouettes.shape[1];
	const side = recorded.depths.shape[1];
	const silhouettes = new Float32Array(2 * size * size);
	distances.forEach((distance, pair) => {
		silhouettes.set(
			distance.map((value) => value / size),
			pair * size * size,
		);
	});
	const maps = new Float32Array(4 * side * side * 2);
	pairs.forEach(({ level, near, far }, pair) => {
		[
			{ depths: near, facing: level.near.facing },
			{ depths: far, facing: level.far.facing },
		].forEach(({ depths, facing }, which) => {
			const known = facing.map((value) => (value === 0 ? Number.NaN : value));
			const wholeDepths = extended(depths, side, rings);
			const wholeFacing = extended(known, side, rings);
			const first = (pair * 2 + which) * side * side;
			for (let i = 0; i < side * side; i++) {
				maps[(first + i) * 2] = (wholeDepths[i] + 0.5) / side - 0.5;
				maps[(first + i) * 2 + 1] = Math.min(Math.max(wholeFacing[i], leastFacing), 1);
			}
		});
	});
	executable.write(recorded.silhouettes, silhouettes);
	executable.write(recorded.depths, maps);
	await executable.run();
	return executable.read(recorded.field);
}

/** Cubes outside the surface whose corners take part, so that every crossing lies between known values. */
const bandCubes = 3;

/** The zero surface of a field at the corners of `resolution`^3 cubes over [-0.5, 0.5]^3. Throws code "input" where there is none. */
export async function meshOfField(device: Device, field: Float32Array, resolution: number): Promise<Mesh> {
	const side = resolution + 1;
	const band = bandCubes / resolution;
	const words = emptyBits(side ** 3);
	const known = field.filter((value, i) => {
		if (value < band) mark(words, i);
		return value < band;
	});
	const count = Math.max(1, known.length);
	const values = new Float32Array(count * 4); // the rest of the rows: no displacement
	values.set(known);
	const means = residentTensor(device, "body", "f32", [4, count], values);
	const features = residentTensor(device, "no weights", "f32", [1, 21]);
	try {
		const { positions, faces } = await flexicubes(device, {
			...{ resolution, vertices: { words }, means, features, weightColumn: 0 },
			...{ cubes: { words: emptyBits(resolution ** 3) }, rowOfCube: new Uint32Array(0) },
		});
		if (faces.length === 0) {
			throw new SyncHumanError(
				"input",
				"The views leave no body between them.",
				"Give views of one run, in the order front, right, back, left.",
			);
		}
		return { positions, faces };
	} finally {
		release(device, means.storage);
		release(device, features.storage);
	}
}

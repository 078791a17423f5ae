import { beforeAll, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { deformedVertices } from "../../../engine/kernels/mesh/deformedVertices.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

const absent = 0xffffffff;

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** [u, channels] in f64: x, y, z, sdf, sigmoid of the colours. */
function reference(ids: Uint32Array, rows: Uint32Array, means: Float32Array, channels: number, resolution: number): number[] {
	const vertices = means.length / channels;
	const side = resolution + 1;
	return [...ids].flatMap((id, u) => {
		const mean = (k: number) => (rows[u] === absent ? (k === 0 ? 1 : 0) : means[k * vertices + rows[u]]);
		const grid = [Math.floor(id / side ** 2), Math.floor(id / side) % side, id % side];
		const position = grid.map((v, k) => v / resolution - 0.5 + ((1 - 1e-8) / (2 * resolution)) * Math.tanh(mean(1 + k)));
		return [...position, mean(0), ...Array.from({ length: channels - 4 }, (_, k) => 1 / (1 + Math.exp(-mean(4 + k))))];
	});
}

it.each([
	[1, 1, 1, 4],
	[13, 65, 30, 10],
	[256, 700, 257, 10],
	[256, 64, 7, 4],
])("deforms a %i^3 grid: %i vertices, %i of them with attributes, %i channels", async (resolution, count, vertices, channels) => {
	const ids = Uint32Array.from({ length: count }, (_, u) => Math.floor(((resolution + 1) ** 3 - 1) * ((u + 0.5) / count)));
	ids[count - 1] = (resolution + 1) ** 3 - 1;
	const rows = Uint32Array.from({ length: count }, (_, u) => (u % 3 === 1 ? absent : (u * 7) % vertices));
	const means = randomValues(channels * vertices, 2, 3);
	means[vertices] = 100; // beyond what exp can hold
	means[2 * vertices] = -100;
	if (channels === 10) means[4 * vertices] = -200;
	const [points] = await runGraph(device, (graph) =>
		deformedVertices(graph, {
			vertexIds: residentTensor(device, "ids", "u32", [count], ids),
			vertexRows: residentTensor(device, "rows", "u32", [count], rows),
			means: residentTensor(device, "means", "f32", [channels, vertices], means),
			resolution,
		}),
	);
	expect(nmse(points, reference(ids, rows, means, channels, resolution))).toBeLessThan(1e-13);
});

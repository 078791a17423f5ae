import { expect, it } from "vitest";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { projectVertices } from "../../../engine/kernels/mesh/projectVertices.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

it("projects onto the screens of several cameras", async () => {
	const device = await testDevice();
	const [vertices, views, size] = [131, 3, 48];
	const positions = randomValues(vertices * 3, 1);
	const rows = randomValues(views * 16, 2).map((value, i) => (i % 16 === 15 ? 4 : value));
	const [screen] = await runGraph(device, (graph) =>
		projectVertices(graph, {
			positions: residentTensor(device, "positions", "f32", [vertices, 3], positions),
			clipRows: residentTensor(device, "clipRows", "f32", [views, 4, 4], rows),
			views,
			size,
		}),
	);
	const expected: number[] = [];
	for (let view = 0; view < views; view++) {
		for (let i = 0; i < vertices; i++) {
			const [x, y, t, w] = [0, 1, 2, 3].map((row) => {
				const at = view * 16 + row * 4;
				return rows[at] * positions[i * 3] + rows[at + 1] * positions[i * 3 + 1] + rows[at + 2] * positions[i * 3 + 2] + rows[at + 3];
			});
			expected.push(((x / w + 1) * size) / 2, ((y / w + 1) * size) / 2, t / w, 1);
		}
	}
	expect(nmse(screen, expected)).toBeLessThan(1e-12);
});

it("marks what lies behind the eye", async () => {
	const device = await testDevice();
	const [screen] = await runGraph(device, (graph) =>
		projectVertices(graph, {
			positions: residentTensor(device, "positions", "f32", [2, 3], Float32Array.of(0, 0, -1, 0, 0, 1)),
			clipRows: residentTensor(device, "clipRows", "f32", [1, 4, 4], Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0)),
			views: 1,
			size: 8,
		}),
	);
	expect([screen[3], screen[7]]).toEqual([1, 0]);
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { imageTokens } from "../../../engine/kernels/dense/imageTokens.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("imageTokens", () => {
	for (const [name, options, images, patches, registers, columns, first] of [
		["class token and patches share a table", {}, 3, 7, 0, 12, 1],
		["registers have no position", {}, 2, 5, 4, 16, 0],
		["images are split into windows", { maxBindingBytes: 4096 }, 9, 6, 1, 64, 2],
	] as const) {
		it(name, async () => {
			const own = await testDevice(options);
			const tokens = 1 + registers + patches;
			const values = (rows: number, seed: number) => randomValues(rows * columns, seed);
			const [patch, token, register, table] = [values(images * patches, 1), values(1, 2), values(registers, 3), values(first + patches, 4)];
			const [y] = await runGraph(own, (graph) => {
				const positions = residentTensor(own, "positions", "f32", [first + patches, columns], table);
				return imageTokens(graph, {
					patches: residentTensor(own, "patches", "f32", [images, patches, columns], patch),
					classToken: residentTensor(own, "class", "f32", [columns], token),
					registers: registers > 0 ? residentTensor(own, "registers", "f32", [registers, columns], register) : undefined,
					classPosition: positions,
					positions: { tensor: positions, first },
				});
			});
			const expected = Float64Array.from({ length: images * tokens * columns }, (_, i) => {
				const column = i % columns;
				const t = Math.floor(i / columns) % tokens;
				const image = Math.floor(i / columns / tokens);
				if (t === 0) return token[column] + table[column];
				if (t <= registers) return register[(t - 1) * columns + column];
				const p = t - 1 - registers;
				return patch[(image * patches + p) * columns + column] + table[(first + p) * columns + column];
			});
			expect(nmse(y, expected)).toBeLessThan(1e-13);
		});
	}

	it("refuses tables with too few rows", () => {
		const tensor = (rows: number) => residentTensor(device, "x", "f32", [rows, 4]);
		const run = runGraph(device, (graph) =>
			imageTokens(graph, {
				patches: residentTensor(device, "patches", "f32", [1, 3, 4]),
				classToken: tensor(1),
				classPosition: tensor(3),
				positions: { tensor: tensor(3), first: 1 },
			}),
		);
		return expect(run).rejects.toThrow(/positions must be \[>= 4,4\]/);
	});
});

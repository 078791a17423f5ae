import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { patchify, pixelShuffle3d, unpatchify } from "../../../engine/kernels/dense/patchify.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** unpatchify with loops: y[b, x p + i, y p + j, z p + k, c] = x[b, x, y, z, c p^3 + (i p + j) p + k]. */
function reference(x: ArrayLike<number>, [batch, sx, sy, sz, stacked]: readonly number[], patch: number): number[] {
	const channels = stacked / patch ** 3;
	const out: number[] = new Array(x.length);
	for (let at = 0; at < x.length; at++) {
		const voxel = Math.floor(at / stacked);
		const [b, vx, vy, vz] = [
			Math.floor(voxel / (sx * sy * sz)) % batch,
			Math.floor(voxel / (sy * sz)) % sx,
			Math.floor(voxel / sz) % sy,
			voxel % sz,
		];
		const [c, i, j, k] = [
			Math.floor((at % stacked) / patch ** 3),
			Math.floor((at % stacked) / patch ** 2) % patch,
			Math.floor((at % stacked) / patch) % patch,
			at % patch,
		];
		out[(((b * sx * patch + vx * patch + i) * sy * patch + vy * patch + j) * sz * patch + vz * patch + k) * channels + c] = x[at];
	}
	return out;
}

describe("patchify", () => {
	for (const [shape, patch] of [
		[[1, 1, 1, 1, 8], 2],
		[[2, 3, 2, 4, 24], 2],
		[[1, 2, 3, 2, 54], 3],
	] as const) {
		it(`takes [${shape}] apart into cubes of ${patch} and puts it together again`, async () => {
			const x = randomValues(
				shape.reduce((a: number, b) => a * b, 1),
				1,
			);
			const [apart, together] = await runGraph(device, (graph) => {
				const y = unpatchify(graph, residentTensor(device, "x", "f32", shape, x), patch);
				return [y, patchify(graph, y, patch)];
			});
			expect([...apart]).toEqual(reference(x, shape, patch));
			expect([...together]).toEqual([...x]);
		});
	}

	it("shuffles channels into sub-voxels in f16", async () => {
		const x = Float32Array.from({ length: 16 }, (_, i) => i);
		const [y] = await runGraph(device, (graph) => pixelShuffle3d(graph, residentTensor(device, "x", "f16", [1, 1, 1, 1, 16], x)));
		expect([...y]).toEqual(Array.from({ length: 16 }, (_, i) => (i % 2) * 8 + Math.floor(i / 2)));
	});

	it("refuses extents that do not divide", () => {
		const x = residentTensor(device, "x", "f32", [1, 3, 4, 4, 1]);
		return expect(runGraph(device, (graph) => patchify(graph, x, 2))).rejects.toThrow(/multiples of 2/);
	});
});

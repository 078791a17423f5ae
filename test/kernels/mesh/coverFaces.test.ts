import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { coverFaces } from "../../../engine/kernels/mesh/coverFaces.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** [f] bits of the views in which each face is nearest somewhere, in f64; screen [views, v, 4]. */
function reference(screen: Float32Array, views: number, faces: Uint32Array, size: number): Uint32Array {
	const vertices = screen.length / 4 / views;
	const seen = new Uint32Array(faces.length / 3);
	for (let view = 0; view < views; view++) {
		for (let y = 0; y < size; y++) {
			for (let x = 0; x < size; x++) {
				let [nearest, best] = [-1, -1];
				for (let f = 0; f < seen.length; f++) {
					const corners = [0, 1, 2].map((k) =>
						screen.subarray((view * vertices + faces[f * 3 + k]) * 4, (view * vertices + faces[f * 3 + k]) * 4 + 4),
					);
					if (corners.some((corner) => corner[3] === 0)) continue;
					const twice = (a: Float32Array, b: Float32Array) => (a[0] - x - 0.5) * (b[1] - y - 0.5) - (a[1] - y - 0.5) * (b[0] - x - 0.5);
					const weights = [twice(corners[1], corners[2]), twice(corners[2], corners[0]), twice(corners[0], corners[1])];
					const area = weights[0] + weights[1] + weights[2];
					if (area === 0 || weights.some((weight) => weight * area < 0)) continue;
					const t = weights.reduce((sum, weight, k) => sum + weight * corners[k][2], 0) / area;
					if (t >= 0 && t <= 2 && t > nearest) [nearest, best] = [t, f];
				}
				if (best >= 0) seen[best] |= 1 << view;
			}
		}
	}
	return seen;
}

async function run(screen: Float32Array, views: number, faces: Uint32Array, size: number, drawn = views): Promise<Uint32Array> {
	const vertices = screen.length / 4 / views;
	const guarded = new Uint32Array(faces.length / 3 + 1);
	guarded[faces.length / 3] = 77;
	const [seen] = await runGraph(device, (graph) => {
		const result = residentTensor(device, "seen", "u32", [faces.length / 3 + 1], guarded);
		coverFaces(graph, {
			screen: residentTensor(device, "screen", "f32", [views, vertices, 4], screen),
			faces: residentTensor(device, "faces", "u32", [faces.length / 3, 3], faces),
			nearest: residentTensor(device, "nearest", "u32", [views, size, size]),
			seen: result,
			views: drawn,
		});
		return result;
	});
	expect(seen[faces.length / 3]).toBe(77);
	return Uint32Array.from(seen.subarray(0, -1));
}

function randomScreen(count: number, size: number, seed: number): Float32Array {
	const random = randomValues(count * 4, seed);
	return random.map((value, i) => (i % 4 < 2 ? (value * 0.7 + 0.5) * size : i % 4 === 2 ? 1 + value * 1.2 : value > -0.95 ? 1 : 0));
}

describe("coverFaces", () => {
	for (const [views, vertices, faceCount, size] of [
		[1, 3, 1, 1],
		[3, 40, 67, 13],
		[2, 9, 3, 33],
		[5, 300, 130, 16],
	] as const) {
		it(`finds the visible ones of ${faceCount} faces in ${views} views of ${size} x ${size}`, async () => {
			const screen = randomScreen(vertices * views, size, vertices);
			const random = randomValues(faceCount * 3, 5);
			const faces = Uint32Array.from(random, (value) => Math.floor(((value + 1) / 2) * vertices));
			expect(await run(screen, views, faces, size)).toEqual(reference(screen, views, faces, size));
		});
	}

	it("draws no more views than asked", async () => {
		const screen = randomScreen(3 * 4, 8, 3).map((value, i) => (i % 4 === 3 ? 1 : i % 4 === 2 ? 1 : value));
		const seen = await run(screen, 4, Uint32Array.of(0, 1, 2), 8, 2);
		expect(seen[0] & ~3).toBe(0);
	});

	it("lets nothing through between the faces of a fan, whatever side they show", async () => {
		const size = 64;
		const spokes = 23;
		const rim = Array.from({ length: spokes }, (_, i) => [
			32.3 + 60 * Math.cos((i * 2 * Math.PI) / spokes),
			31.9 + 60 * Math.sin((i * 2 * Math.PI) / spokes),
			1,
			1,
		]);
		const behind = [
			[-70, -70, 0.5, 1],
			[200, -70, 0.5, 1],
			[-70, 200, 0.5, 1],
		];
		const screen = Float32Array.from([[32.3, 31.9, 1, 1], ...rim, ...behind].flat());
		const faces = Array.from({ length: spokes }, (_, i) =>
			i % 2 === 0 ? [0, 1 + i, 1 + ((i + 1) % spokes)] : [1 + ((i + 1) % spokes), 1 + i, 0],
		);
		const seen = await run(screen, 1, Uint32Array.from([...faces, [spokes + 1, spokes + 2, spokes + 3]].flat()), size);
		expect([...seen]).toEqual([...Array(spokes).fill(1), 0]);
	});

	it("refuses more than 32 views", async () => {
		const screen = new Float32Array(33 * 3 * 4);
		await expect(run(screen, 33, Uint32Array.of(0, 1, 2), 2)).rejects.toThrow("at most 32 views");
	});
});

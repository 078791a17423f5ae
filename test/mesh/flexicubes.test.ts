import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { float16ToFloat32 } from "../../engine/gpu/float16.ts";
import { compileKernel } from "../../engine/gpu/kernel.ts";
import { readTensor, release, residentTensor } from "../../engine/gpu/transfer.ts";
import { emptyBits, mark, rankBits } from "../../engine/mesh/bitRank.ts";
import { extractMesh, extractMeshKernels, flexicubes } from "../../engine/mesh/flexicubes.ts";
import { syntheticFloat32 } from "../../engine/random/synthetic.ts";
import { denseField, referenceFlexicubes } from "../support/flexicubesReference.ts";
import { nmse, randomValues, testDevice } from "../support/gpu.ts";

const bound = 1e-11; // goldens/README.md: FlexiCubes vertices and colours

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Cubes of a shell around a ball, cut open at one side, shuffled; features are noise with the ball's distance in the SDF channels. */
function shell(resolution: number, noise: number) {
	const coords: number[] = [];
	for (let x = 0; x < resolution * 0.7; x++) {
		for (let y = 0; y < resolution; y++) {
			for (let z = 0; z < resolution; z++) {
				const distance = ball((x + 0.5) / resolution - 0.5, (y + 0.5) / resolution - 0.5, (z + 0.5) / resolution - 0.5);
				if (Math.abs(distance) < 1.5 / resolution) coords.unshift(x, y, z);
			}
		}
	}
	const count = coords.length / 3;
	const features = randomValues(count * 101, 5, 0.7);
	for (let row = 0; row < count; row++) for (let k = 0; k < 8; k++) features[row * 101 + k] *= noise;
	return { coords: Int32Array.from(coords), features, count };
}

function ball(x: number, y: number, z: number): number {
	return Math.hypot(x, y - 0.01, z + 0.02) - 0.31;
}

describe("extractMesh", () => {
	for (const [name, options] of [
		["", {}],
		[", features in windows", { maxBindingBytes: 100 * 1024 }],
	] as const) {
		it(`agrees with the dense f64 reference on an open shell with an added SDF${name}`, async () => {
			const own = await testDevice(options);
			const { coords, features, count } = shell(13, 0.02);
			const expected = referenceFlexicubes(denseField(13, coords, features, ([x, y, z]) => ball(x, y, z)));
			const before = own.memory.currentBytes;
			const cubeFeatures = residentTensor(own, "features", "f32", [count, 101], features);
			const mesh = await extractMesh(own, { cubeFeatures, coords, resolution: 13, withColors: true, addedSdf: ball });
			expect([...mesh.faces]).toEqual(expected.faces);
			expect(nmse(mesh.positions, expected.positions)).toBeLessThan(bound);
			expect(nmse(mesh.attributes ?? [], expected.attributes)).toBeLessThan(bound);
			const plain = await extractMesh(own, { cubeFeatures, coords, resolution: 13, addedSdf: ball });
			expect(plain.attributes).toBeUndefined();
			expect(plain.positions).toEqual(mesh.positions);
			release(own, cubeFeatures.storage);
			expect(own.memory.currentBytes).toBe(before);
		});
	}

	it("gives the same bytes in windows of rows as in one piece", async () => {
		const { coords, features, count } = shell(13, 0.02);
		const run = async (own: Device) => {
			const cubeFeatures = residentTensor(own, "features", "f32", [count, 101], features);
			return extractMesh(own, { cubeFeatures, coords, resolution: 13, withColors: true, addedSdf: ball });
		};
		const [whole, windows] = [await run(device), await run(await testDevice({ maxBindingBytes: 100 * 1024 }))];
		expect(windows.dispatchCount).toBeGreaterThan(whole.dispatchCount);
		expect({ ...windows, dispatchCount: 0 }).toEqual({ ...whole, dispatchCount: 0 });
	});

	it("takes 53 columns, and every cube of a small grid", async () => {
		const resolution = 4;
		const coords = Int32Array.from(
			{ length: resolution ** 3 * 3 },
			(_, i) => Math.floor(Math.floor(i / 3) / resolution ** (2 - (i % 3))) % resolution,
		);
		const wide = randomValues(resolution ** 3 * 101, 8);
		const narrow = Float32Array.from({ length: resolution ** 3 * 53 }, (_, i) => wide[Math.floor(i / 53) * 101 + (i % 53)]);
		const expected = referenceFlexicubes(denseField(resolution, coords, wide));
		const cubeFeatures = residentTensor(device, "features", "f32", [resolution ** 3, 53], narrow);
		const mesh = await extractMesh(device, { cubeFeatures, coords, resolution });
		expect([...mesh.faces]).toEqual(expected.faces);
		expect(nmse(mesh.positions, expected.positions)).toBeLessThan(bound);
	});

	it("gives an empty mesh where the SDF has no zero", async () => {
		const cubeFeatures = residentTensor(device, "features", "f32", [1, 53], new Float32Array(53).fill(1));
		const mesh = await extractMesh(device, { cubeFeatures, coords: Int32Array.of(1, 1, 1), resolution: 4 });
		expect([mesh.positions.length, mesh.faces.length]).toEqual([0, 0]);
	});

	it.each([
		[53, false, false],
		[101, true, true],
	])("compiles nothing that was not announced: %i columns, colours %s, added SDF %s", async (columns, withColors, hasAddedSdf) => {
		const own = await testDevice({ maxBindingBytes: 1 << (20 + (columns % 2)) });
		const { coords, features, count } = shell(9, 0.02);
		const narrow = Float32Array.from({ length: count * columns }, (_, i) => features[Math.floor(i / columns) * 101 + (i % columns)]);
		const cubeFeatures = residentTensor(own, "features", "f32", [count, columns], narrow);
		const kernels = extractMeshKernels(own, { cubeFeatures, resolution: 9, withColors, hasAddedSdf });
		await Promise.all(kernels.map((kernel) => compileKernel(own, kernel)));
		const compiled = vi.spyOn(own.gpu, "createComputePipelineAsync");
		await extractMesh(own, { cubeFeatures, coords, resolution: 9, withColors, ...(hasAddedSdf && { addedSdf: ball }) });
		expect(compiled).not.toHaveBeenCalled();
		compiled.mockRestore();
	});

	it("gives the same bytes again and leaves its input alone", async () => {
		const { coords, features, count } = shell(9, 0.02);
		const cubeFeatures = residentTensor(device, "features", "f32", [count, 101], features);
		const [first, second] = [
			await extractMesh(device, { cubeFeatures, coords, resolution: 9, addedSdf: ball }),
			await extractMesh(device, { cubeFeatures, coords, resolution: 9, addedSdf: ball }),
		];
		expect(second).toEqual(first);
		expect(await readTensor(device, cubeFeatures)).toEqual(features);
	});

	it("refuses features that do not fit", async () => {
		const cubeFeatures = residentTensor(device, "features", "f32", [2, 53]);
		await expect(extractMesh(device, { cubeFeatures, coords: Int32Array.of(0, 0, 0), resolution: 4 })).rejects.toThrow(
			"must be f32[1,53 or 101]",
		);
		const coords = Int32Array.of(0, 0, 0, 1, 0, 0);
		await expect(extractMesh(device, { cubeFeatures, coords, resolution: 4, withColors: true })).rejects.toThrow("must be [n,101]");
	});
});

describe("flexicubes", () => {
	it("gives what the official code gives on white noise, faces exactly", async () => {
		const fixture = JSON.parse(readFileSync(new URL("../fixtures/mesh/flexicubesWhite.json", import.meta.url), "utf8"));
		const bytes = (name: string): ArrayBuffer => Uint8Array.from(Buffer.from(fixture[name], "base64")).buffer;
		const { resolution, seed, stride } = fixture;
		const [vertexCount, cubeCount] = [(resolution + 1) ** 3, resolution ** 3];
		const made = (name: string, shape: readonly number[], scale: number) =>
			syntheticFloat32(`input:${name}:white`, shape, seed, { offset: 0, scale });
		const deform = made("deform", [vertexCount, 3], 0.6);
		const colors = made("colors", [vertexCount, 6], 2);
		const means = new Float32Array(vertexCount * 10);
		means.set(float16ToFloat32(new Uint16Array(bytes("sdfFloat16"))));
		for (let v = 0; v < vertexCount; v++) {
			for (let k = 0; k < 3; k++) means[(1 + k) * vertexCount + v] = deform[v * 3 + k];
			for (let k = 0; k < 6; k++) means[(4 + k) * vertexCount + v] = colors[v * 6 + k];
		}
		const mesh = await flexicubes(device, {
			resolution,
			vertices: everything(vertexCount),
			means: residentTensor(device, "means", "f32", [10, vertexCount], means),
			features: residentTensor(device, "weights", "f32", [cubeCount, 21], made("weights", [cubeCount, 21], 1)),
			weightColumn: 0,
			cubes: everything(cubeCount),
			rowOfCube: Uint32Array.from({ length: cubeCount }, (_, i) => i),
		});
		const every = (values: Float32Array, columns: number) => values.filter((_, i) => Math.floor(i / columns) % stride === 0);
		expect(mesh.positions.length / 3).toBe(fixture.vertexCount);
		expect([...mesh.faces]).toEqual([...new Uint16Array(bytes("facesUint16"))]);
		expect(nmse(every(mesh.positions, 3), new Float32Array(bytes("everyStridethPositionFloat32")))).toBeLessThan(bound);
		expect(nmse(every(mesh.attributes ?? new Float32Array(0), 6), new Float32Array(bytes("everyStridethColorsFloat32")))).toBeLessThan(
			bound,
		);
	});
});

function everything(size: number) {
	const words = emptyBits(size);
	for (let id = 0; id < size; id++) mark(words, id);
	return rankBits(size, words);
}

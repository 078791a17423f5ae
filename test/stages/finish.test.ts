import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { imageOf } from "../../engine/image/image.ts";
import { unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { figurePictures, sideNames, sideView } from "../../engine/stages/figurePictures.ts";
import { type FinishRequest, finishMesh } from "../../engine/stages/finish.ts";
import { finishWorkHere } from "../../engine/stages/finishWork.ts";
import { bareContext, type MemoryPlan, type PartContext, type Progress } from "../../engine/stages/part.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";
import { testDevice } from "../support/gpu.ts";
import { randomCloud } from "../support/randomCloud.ts";
import { stageOneResult } from "../support/stageResults.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const side = 24;
const hidden = ballMesh([0, 0, 0], 0.1, 6);
const ball = ballMesh([0, 0, 0], 0.4, 14);
const disc = (value: number, background: number) => {
	const inside = (i: number) => Math.hypot((i % side) - 11.5, Math.floor(i / side) - 11.5) < 9.6;
	return imageOf(
		side,
		side,
		3,
		Uint8Array.from({ length: side * side * 3 }, (_, i) => (inside(Math.floor(i / 3)) ? value : background)),
	);
};
const request = (): FinishRequest => ({
	mesh: joinMeshes(ball, hidden),
	// Of one grey: 0.28209479 c + 0.5 = 0.6.
	gaussians: { ...randomCloud(400, 1, 0.23), featuresDc: new Float32Array(1200).fill(0.3545), opacities: new Float32Array(400).fill(0.99) },
	stageOne: {
		...stageOneResult(),
		colors: [0, 1, 2, 3, 4].map(() => disc(150, 255)),
		normals: [0, 1, 2, 3, 4].map(() => disc(128, 255)),
	},
	seed: 43,
	textureSize: 128,
	simplify: 0.8,
	effort: { visibilityViews: 40, visibilitySize: 128, viewSize: 96, renders: 1, renderSize: 64, fitSteps: 300 },
});

function watched(more: Partial<PartContext> = {}) {
	const plans: MemoryPlan[] = [];
	const progress: Progress[] = [];
	const context: PartContext = {
		...bareContext(device),
		onProgress: (step) => void progress.push(step),
		onPlan: (plan) => void plans.push(plan),
		...more,
	};
	return { context, plans, progress };
}
const names = ["simplify", "repair", "unwrap, texture views", "texture fit"];

describe("finishMesh", () => {
	it("gives a clean mesh with a texture in the views' colour, within the plan, and the same twice", async () => {
		const { context, plans, progress } = watched();
		const before = device.memory.currentBytes;
		const finished = await finishMesh(context, request());
		const { mesh, texture, repair } = finished;
		expect(repair.hiddenFaces).toBeGreaterThan(0);
		expect(repair.openBoundaries).toEqual([]);
		expect(mesh.faces.length / 3).toBeLessThanOrEqual(Math.ceil(0.8 * ((ball.faces.length + hidden.faces.length) / 3)));
		for (let i = 0; i < mesh.positions.length; i += 3) {
			expect(Math.hypot(...mesh.positions.subarray(i, i + 3))).toBeGreaterThan(0.3);
			const outward = [0, 1, 2].reduce((sum, k) => sum + mesh.positions[i + k] * texture.normals[i + k], 0);
			expect(outward).toBeGreaterThan(0.35);
		}
		expect(mesh.colors).toBeUndefined();
		expect(texture.uvs.length).toBe((mesh.positions.length / 3) * 2);
		expect(texture.uvs.every((value) => value >= 0 && value <= 1)).toBe(true);
		const { data, width, height } = texture.picture;
		expect([width, height]).toEqual([128, 128]);
		const seenInFront = Array.from({ length: mesh.positions.length / 3 }, (_, vertex) => vertex).filter(
			(vertex) => texture.normals[vertex * 3 + 1] < -0.8,
		);
		const reds = seenInFront.map((vertex) => {
			const [u, v] = texture.uvs.subarray(vertex * 2, vertex * 2 + 2);
			return data[(Math.min(127, Math.floor((1 - v) * 128)) * 128 + Math.min(127, Math.floor(u * 128))) * 3];
		});
		const median = reds.toSorted((a, b) => a - b)[reds.length >> 1];
		expect(Math.abs(median - 150)).toBeLessThan(12);
		expect(context.measurements.map(({ part }) => part)).toEqual(names);
		for (const { part, peakBytes, plannedBytes } of context.measurements) expect(peakBytes, part).toBeLessThanOrEqual(plannedBytes);
		expect(plans.map(({ stage, parts }) => [stage, ...parts.map(({ part }) => part)])).toEqual([["finishing", ...names.slice(1)]]);
		expect([...new Set(progress.map(({ part }) => part))]).toEqual(names);
		expect(device.memory.currentBytes).toBe(before);
		expect(await finishMesh(watched().context, request())).toEqual(finished);
	});

	it("stops in every part and holds nothing afterwards", async () => {
		const before = device.memory.currentBytes;
		for (const name of names) {
			const stopping = new AbortController();
			const { context, progress } = watched({
				signal: stopping.signal,
				onProgress(step) {
					progress.push(step);
					if (step.part === name) stopping.abort();
				},
			});
			await expect(finishMesh(context, request()), name).rejects.toMatchObject({ code: "aborted" });
			expect(device.memory.currentBytes).toBe(before);
		}
	});

	it("refuses before it allocates where memory does not suffice, and meshes that cannot be finished", async () => {
		const { context, plans } = watched();
		await finishMesh(context, { ...request(), effort: { ...request().effort, fitSteps: 1 } });
		const maxMemory = plans[0].peakBytes - 1;
		const tight = watched({ maxMemory });
		await expect(finishMesh(tight.context, request())).rejects.toMatchObject({
			code: "memory",
			message: expect.stringMatching(/^finishing: .* needs \d+ bytes of GPU memory, more than the \d+ allowed/),
		});
		expect(tight.context.measurements.map(({ part }) => part)).toEqual(["simplify"]);
		const attempt = (positions: Float32Array, faces: Uint32Array) =>
			finishMesh(watched().context, { ...request(), mesh: { positions, faces } });
		await expect(attempt(new Float32Array(9), new Uint32Array(0))).rejects.toMatchObject({
			code: "input",
			message: expect.stringMatching(/no faces/),
		});
		await expect(attempt(new Float32Array(9), Uint32Array.of(0, 1, 2))).rejects.toMatchObject({
			code: "input",
			message: expect.stringMatching(/single triangle/),
		});
		await expect(attempt(ball.positions.with(4, Number.NaN), ball.faces)).rejects.toMatchObject({
			code: "input",
			message: expect.stringMatching(/vertex 1 is not/),
		});
		await expect(
			attempt(
				ball.positions.map((value) => value + 9),
				ball.faces,
			),
		).rejects.toMatchObject({ code: "input", message: expect.stringMatching(/sees a face/) });
		const { stageOne } = request();
		const withNormals = (normals: typeof stageOne.normals) =>
			finishMesh(watched().context, { ...request(), stageOne: { ...stageOne, normals } });
		await expect(withNormals(stageOne.normals.slice(1))).rejects.toMatchObject({
			code: "input",
			message: "Views: must be 5 colour and 5 normal pictures, got 5 and 4.",
		});
		await expect(withNormals([imageOf(8, 8, 3, new Uint8Array(192)), ...stageOne.normals.slice(1)])).rejects.toMatchObject({
			code: "input",
			message: "Views: all pictures must be RGB squares of one size, got 8 x 8 beside 24 x 24.",
		});
	});

	it("leaves the unwrapping to whoever is asked to", async () => {
		const asked: number[] = [];
		await finishMesh(watched().context, {
			...request(),
			effort: { ...request().effort, fitSteps: 1 },
			openFinishWork(size) {
				const work = finishWorkHere(size);
				return {
					...work,
					unwrap(mesh, { textureSize, padding, report }) {
						asked.push(textureSize, padding);
						report(1, 2);
						return unwrapMesh(mesh, { textureSize, padding });
					},
					close() {
						asked.push(0);
						return work.close();
					},
				};
			},
		});
		expect(asked).toEqual([128, 2, 0]);
	});
});

it("makes a texture of the five views where there are no Gaussians, without the GPU", async () => {
	const { context, plans } = watched();
	const { mesh, texture } = await finishMesh(context, { ...request(), gaussians: undefined, mesh: ball });
	expect(context.measurements.map(({ part }) => part)).toEqual(names);
	expect(plans[0].parts).toContainEqual({ part: "texture fit", bytes: 0 });
	const drawn = figurePictures(device, {
		figure: { meshes: [{ ...mesh, uvs: texture.uvs, texture: texture.picture }] },
		views: sideNames.map((side) => sideView(side)),
		size: 32,
		shading: "color",
	});
	for await (const { data } of drawn) expect(Math.abs(data[(16 * 32 + 16) * 4] - 150)).toBeLessThan(3);
});

it("begins a short fit with what the views show", async () => {
	const { texture } = await finishMesh(watched().context, { ...request(), mesh: ball, effort: { ...request().effort, fitSteps: 3 } });
	const { data } = texture.picture;
	// Three steps from black would end below 10.
	expect(data.reduce((sum, value) => sum + value, 0) / data.length).toBeGreaterThan(100);
});

it("gives the head more texels and makes a normal map where they are asked for", async () => {
	const { context } = watched();
	const shares: (number | undefined)[] = [];
	const { texture } = await finishMesh(context, {
		...request(),
		faceTexels: 4,
		normalMap: true,
		effort: { ...request().effort, fitSteps: 1 },
		openFinishWork: (size) => ({
			...finishWorkHere(size),
			unwrap(mesh, { textureSize, padding, focus }) {
				shares.push(focus?.share);
				return unwrapMesh(mesh, { textureSize, padding, focus });
			},
		}),
	});
	expect(shares).toEqual([4]);
	expect(context.measurements.map(({ part }) => part)).toEqual([...names, "normal map"]);
	expect(texture.normalMap?.picture).toMatchObject({ width: 128, height: 128, channels: 3 });
	expect(texture.normalMap?.tangents.length).toBe((texture.uvs.length / 2) * 4);
});

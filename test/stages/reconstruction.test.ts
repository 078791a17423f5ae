import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { blankImage } from "../../engine/image/image.ts";
import { bodyCameras, isBodyPixel } from "../../engine/mesh/bodyViews.ts";
import { depthRaster } from "../../engine/mesh/depthRaster.ts";
import { connectedFaces, meshEdges } from "../../engine/mesh/meshEdges.ts";
import { bareContext } from "../../engine/stages/part.ts";
import { type ReconstructionRequest, runReconstruction } from "../../engine/stages/reconstruction.ts";
import { readViews } from "../../runners/viewsFolder.ts";
import { testDevice } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";
import { mannequinHeight, mannequinHit, mannequinViews } from "../support/mannequin.ts";
import { surfaceDistance } from "../support/surfaceDistance.ts";

let device: Device;
let views: ReconstructionRequest["views"];
beforeAll(async () => {
	device = await testDevice();
	views = await readViews("test/fixtures/mannequin");
});

describe("runReconstruction", () => {
	it("finds the mannequin again: its surface, its outlines, in one closed piece", async () => {
		const { mesh, resolution } = await runReconstruction(bareContext(device), { views, seed: 43 });
		expect(resolution).toBe(96);
		const { degrees, faceEdges } = meshEdges(mesh.faces);
		expect(connectedFaces(faceEdges, degrees.length).pieces).toBe(1);
		expect(degrees.every((degree) => degree === 2)).toBe(true);
		const distance = surfaceDistance(mesh, 0.02);
		let [sum, count] = [0, 0];
		for (let view = 0; view < 4; view++) {
			for (let row = 2; row < 192; row += 6) {
				for (let column = 40; column < 152; column += 6) {
					const hit = mannequinHit(view, (column + 0.5) / 192 - 0.5, 0.5 - (row + 0.5) / 192);
					if (hit === undefined) continue;
					sum += Math.min(distance(...hit), 0.05);
					count++;
				}
			}
		}
		expect(count).toBeGreaterThan(500);
		expect(sum / count / mannequinHeight).toBeLessThan(0.005);
		for (const [view, camera] of bodyCameras.entries()) {
			const { nearest } = depthRaster(mesh, camera, 192);
			const normal = views.normals[view].data;
			let [both, either] = [0, 0];
			for (let pixel = 0; pixel < nearest.length; pixel++) {
				const [drawn, shown] = [nearest[pixel] > Number.NEGATIVE_INFINITY, isBodyPixel({ normal }, pixel)];
				if (drawn && shown) both++;
				if (drawn || shown) either++;
			}
			expect(both / either, `view ${view}`).toBeGreaterThan(0.97);
		}
	});

	it("gives a texture of the views' colours, and the same bytes twice", async () => {
		const small = mannequinViews(64);
		const finish = { textureSize: 128, simplify: 0.5, effort: { visibilityViews: 30, visibilitySize: 256, viewSize: 64, fitSteps: 10 } };
		const run = () => runReconstruction(bareContext(device), { views: small, seed: 43, finish });
		const [first, second] = [await run(), await run()];
		expect(first.resolution).toBe(32);
		expect(first.texture?.picture.width).toBe(128);
		expect(second.mesh.positions).toEqual(first.mesh.positions);
		expect(second.texture?.picture.data).toEqual(first.texture?.picture.data);
		const mean = (data: Uint8Array) => data.reduce((total, value) => total + value, 0) / data.length;
		expect(mean(first.texture?.picture.data ?? new Uint8Array(1))).toBeGreaterThan(40); // not black
	});

	it("refuses views that are missing, of unequal size, or without a body", async () => {
		const refused = async (changed: ReconstructionRequest["views"]) =>
			((await failureOf(() => runReconstruction(bareContext(device), { views: changed, seed: 43 }))) as Error).message;
		const { colors, normals } = views;
		expect(await refused({ colors: colors.slice(1), normals })).toBe("Views: must be 5 colour and 5 normal pictures, got 4 and 5.");
		expect(await refused({ colors, normals: [...normals.slice(0, 4), blankImage(96, 96, 3)] })).toBe(
			"Views: all pictures must be RGB squares of one size, got 96 x 96 beside 192 x 192.",
		);
		const white = { ...normals[3], data: new Uint8Array(normals[3].data.length).fill(255) };
		expect(await refused({ colors, normals: [...normals.slice(0, 3), white, normals[4]] })).toContain("The left view shows nobody");
	});

	it("the mannequin's pictures are those that its formula draws", () => {
		const drawn = mannequinViews(24);
		expect(drawn.colors).toHaveLength(5);
		for (const [view, { data }] of drawn.normals.entries()) {
			if (view === 4) continue;
			let differing = 0;
			for (let pixel = 0; pixel < 24 * 24; pixel++) {
				const stored = (Math.floor(pixel / 24) * 8 + 4) * 192 + (pixel % 24) * 8 + 4; // half a pixel beside the coarse one's centre
				if (isBodyPixel({ normal: data }, pixel) !== isBodyPixel({ normal: views.normals[view].data }, stored)) differing++;
			}
			expect(differing).toBeLessThan(6);
		}
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import type { Device } from "../../engine/gpu/device.ts";
import { bakeTexture, texturePicture, uncoveredTexels } from "../../engine/mesh/bakeTexture.ts";
import type { BakeObservation } from "../../engine/mesh/textureSamples.ts";
import { NumpyRandomState } from "../../engine/random/numpyRandomState.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";
import { testDevice } from "../support/gpu.ts";
import { uvSphere } from "../support/uvSphere.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Pictures of one colour, and masks a pixel wider than the sphere. */
function observations(color: readonly [number, number, number]): BakeObservation[] {
	const size = 24;
	return bakeViews(3).map(({ view, projection, orthographic }) => {
		const radius = orthographic ? 10.6 : 7.5;
		const isInside = (i: number) => Math.hypot((i % size) - 11.5, Math.floor(i / size) - 11.5) < radius;
		return {
			width: size,
			height: size,
			color: Uint8Array.from({ length: size * size * 3 }, (_, i) => color[i % 3]),
			mask: Uint8Array.from({ length: size * size }, (_, i) => (isInside(i) ? 1 : 0)),
			view,
			projection,
			rowsRunWithRaster: orthographic,
		};
	});
}

const bake = (steps: number, views: Iterable<BakeObservation> | AsyncIterable<BakeObservation> = observations([200, 60, 120])) =>
	bakeTexture(device, { mesh: uvSphere(), observations: views, size: 16, picker: new NumpyRandomState(3), steps });

describe("bakeTexture", () => {
	it("comes to the pictures' colour, the same bytes every time, and inpaints the rest", async () => {
		const baked = await bake(300);
		const uncovered = uncoveredTexels(uvSphere(), 16);
		expect(baked.uncovered).toEqual(uncovered);
		expect(uncovered.some((value) => value === 1)).toBe(true);
		let difference = 0;
		for (let i = 0; i < baked.color.length; i++) difference += Math.abs(baked.color[i] - [200, 60, 120][i % 3]);
		expect(difference / baked.color.length).toBeLessThan(12);
		uncovered.forEach((value, texel) => {
			if (value === 0)
				expect([...baked.color.subarray(texel * 3, texel * 3 + 3)]).toEqual([...baked.fitted.subarray(texel * 3, texel * 3 + 3)]);
		});
		async function* oneByOne() {
			yield* observations([200, 60, 120]);
		}
		expect((await bake(300, oneByOne())).color).toEqual(baked.color);
	});

	it("shows every step, and ends where the caller throws", async () => {
		const seen: number[] = [];
		const request = { mesh: uvSphere(), observations: observations([9, 9, 9]), size: 8, picker: new NumpyRandomState(0), steps: 5 };
		const stop = new SyncHumanError("aborted", "stop");
		const running = bakeTexture(device, {
			...request,
			async beforeStep(step, texture) {
				if (step === 3) throw stop;
				seen.push(step);
				if (step === 0) expect((await texture()).every((value) => value === 0)).toBe(true);
			},
		});
		await expect(running).rejects.toBe(stop);
		expect(seen).toEqual([0, 1, 2]);
	});

	it("says what is wrong with a mesh or the views", async () => {
		const good = uvSphere();
		const attempt = (change: Partial<typeof good>, views = observations([1, 2, 3])) =>
			bakeTexture(device, { mesh: { ...good, ...change }, observations: views, size: 8, picker: new NumpyRandomState(0), steps: 1 });
		await expect(attempt({ faces: new Uint32Array(0) })).rejects.toThrow("no faces");
		await expect(attempt({ positions: good.positions.with(4, Number.NaN) })).rejects.toThrow("positions[1] is not finite");
		await expect(attempt({ uvs: good.uvs.with(5, Number.POSITIVE_INFINITY) })).rejects.toThrow("uvs[2] is not finite");
		await expect(attempt({ uvs: good.uvs.slice(2) })).rejects.toThrow("uvs must be");
		await expect(attempt({ faces: good.faces.with(7, 5000) })).rejects.toThrow("face 2 names vertex 5000");
		await expect(attempt({}, observations([1, 2, 3]).slice(0, 2))).rejects.toThrow("at least 3 observations");
		await expect(attempt({}, [{ ...observations([1, 2, 3])[0], width: 23 }])).rejects.toThrow("colour must be");
	});

	it("does nothing but smooth where no pixel counts", async () => {
		const empty = observations([50, 50, 50]).map((view) => ({ ...view, mask: new Uint8Array(view.width * view.height) }));
		expect((await bake(3, empty)).fitted.every((value) => value === 0)).toBe(true);
	});
});

it("turns rows over, cuts values off and keeps them in range", () => {
	const texture = Float32Array.from([0, 0.5, 1, -1, 2, 0.9999, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7]);
	expect([...texturePicture(texture, 2)]).toEqual([25, 51, 76, 102, 153, 178, 0, 127, 255, 0, 255, 254]);
});

import { describe, expect, it } from "vitest";
import { compareWith, comparisonText } from "../../../runners/bench/compare.ts";

const rows = [
	{ name: "diffusion", calls: 1, elapsedMs: 20000, peakBytes: 5e9 },
	{ name: "graph denoising", calls: 1, elapsedMs: 200 },
	{ name: "graph view decoding", calls: 1, elapsedMs: 30 },
	{ name: "latent flow", calls: 25, elapsedMs: 1000, peakBytes: 2e9 },
];

describe("compareWith", () => {
	it("sets our rows beside PyTorch's stage 1, as often as they happen", () => {
		const json = { ms: { unet_step: 273.7, vae_decode: 430.8, clip: 12 }, peak_gb: { unet_step: 6 } };
		expect(compareWith(json, rows)).toEqual([
			{ name: "one denoising step", oursMs: 200, theirsMs: 273.7, oursBytes: 5e9, theirsBytes: 6 * 2 ** 30 },
			{ name: "VAE decode, 10 views", oursMs: 300, theirsMs: 430.8, oursBytes: undefined, theirsBytes: undefined },
		]);
	});

	it("takes of stage 2 the figure that both use", () => {
		const flow = { part: "flow forward", voxels: 8645, est_25_steps_s: 1.717, peak_gib: 1.2 };
		const found = compareWith([{ gpu: "a card" }, flow, { ...flow, voxels: 14059, est_25_steps_s: 2 }], rows);
		expect(found).toEqual([{ name: "latent flow, 25 steps", oursMs: 1000, theirsMs: 1717, oursBytes: 2e9, theirsBytes: 1.2 * 2 ** 30 }]);
		expect(comparisonText(found)).toContain("| latent flow, 25 steps | 1000.0 | 1717.0 | 1.72 | 2.00 | 1.29 |\n");
	});

	it("compares what a number of steps decides only where that number was run", () => {
		const parts = ["image embedding", "picture encoding", "picture features", "view decoding", "structure decoding"];
		const all = [...parts.map((name) => ({ name, calls: 1, elapsedMs: 10 })), { name: "diffusion", calls: 50, elapsedMs: 950 }];
		const json = { ms: {}, estimated_seconds_50_steps: 2 };
		expect(compareWith(json, all)).toMatchObject([{ name: "stage 1, 50 steps and all parts", oursMs: 1000, theirsMs: 2000 }]);
		expect(compareWith(json, rows)).toEqual([]);
		expect(compareWith(json, [...all.slice(0, 5), { name: "diffusion", calls: 5, elapsedMs: 95 }])).toEqual([]);
		const flow = { part: "flow forward", voxels: 8645, est_25_steps_s: 1.7, peak_gib: 1 };
		expect(compareWith([flow], [{ name: "latent flow", calls: 3, elapsedMs: 120 }])).toEqual([]);
	});

	it("refuses another file", () => {
		expect(() => compareWith({}, rows)).toThrow(/--compare must name/);
		expect(() => compareWith(null, rows)).toThrow(/--compare must name/);
	});
});

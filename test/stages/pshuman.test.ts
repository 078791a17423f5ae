import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { mirrored } from "../../engine/image/crop.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { PsHuman } from "../../engine/pshuman.ts";
import { testDevice } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";
import { smallPshuman } from "../support/smallPshuman.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("runPshuman", () => {
	it("draws six body views and the strip, the first colour the picture itself, and gives stage 1's five unmirrored", async () => {
		const engine = await PsHuman.open({ device, weights: smallPshuman() });
		try {
			const { colors, normals, strip, unmirrored } = await engine.views(samplePerson(), { steps: 1, seed: 1 });
			expect([colors.length, normals.length, unmirrored.colors.length, unmirrored.normals.length]).toEqual([6, 6, 5, 5]);
			expect([strip.width, strip.height]).toEqual([15 * 96, 96]);
			expect(new Set([...colors, ...normals].map(({ width, height }) => `${width} x ${height}`))).toEqual(new Set(["96 x 96"]));
			expect(colors[0].data.subarray(0, 3)).toEqual(Uint8Array.of(255, 255, 255));
			for (const [kind, views] of [
				["colors", colors],
				["normals", normals],
			] as const) {
				expect(unmirrored[kind][0]).toEqual(views[0]);
				expect(unmirrored[kind][1]).toEqual(views[2]);
				expect(unmirrored[kind][2]).toEqual(mirrored(views[3]));
				expect(unmirrored[kind][3]).toEqual(mirrored(views[4]));
			}
			expect(engine.measurements.map(({ part }) => part)).toEqual(["image embedding", "picture encoding", "diffusion", "view decoding"]);
		} finally {
			engine.close();
		}
	}, 60_000);

	it("stays finite where a scheduler's first step is nothing but noise, and says what it did", async () => {
		const weights = smallPshuman();
		const zero = {
			...weights,
			async scheduler(component: "scheduler" | "image_noising_scheduler") {
				const { json, path } = await weights.scheduler(component);
				if (component !== "scheduler") return { json, path };
				return { json: { ...json, prediction_type: "epsilon", rescale_betas_zero_snr: true, timestep_spacing: "trailing" }, path };
			},
		};
		const engine = await PsHuman.open({ device, weights: zero });
		const remarks: string[] = [];
		try {
			const { colors } = await engine.views(samplePerson(), { steps: 1, seed: 1, onRemark: (text) => remarks.push(text) });
			expect(new Set(colors[1].data).size).toBeGreaterThan(1);
			expect(remarks).toEqual([expect.stringContaining("timestep 999 nothing but noise is left")]);
		} finally {
			engine.close();
		}
	}, 60_000);

	it("refuses a checkpoint with another number of views", async () => {
		const weights = smallPshuman({ num_views: 5 });
		expect(await failureOf(() => PsHuman.open({ device, weights }))).toMatchObject({
			code: "checkpoint",
			message: "synthetic:tiny: num_views is 5; PSHuman has 7, six of the body and the face",
		});
	});
});

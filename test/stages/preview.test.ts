import { expect, it } from "vitest";
import { blankImage } from "../../engine/image/image.ts";
import { bareContext } from "../../engine/stages/part.ts";
import { previewSheet } from "../../engine/stages/preview.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { testDevice } from "../support/gpu.ts";
import { stageOneResult } from "../support/stageResults.ts";

it("shows the input and four sides, the same twice, within its plan, and refuses where memory does not suffice", async () => {
	const device = await testDevice();
	const context = bareContext(device);
	const ball = ballMesh([0, 0, 0], 0.2, 12);
	const surface = { mesh: { ...ball, colors: ball.positions.map((_, i) => [0.2, 0.6, 1][i % 3]) } };
	const { input } = stageOneResult();
	const sheet = await previewSheet(context, surface, input, 96);
	expect(sheet.height).toBe(96);
	expect(sheet.data.length).toBe(sheet.width * 96 * 3);
	expect(await previewSheet(context, surface, input, 96)).toEqual(sheet);
	const own = await previewSheet(context, surface, undefined, 96);
	expect(own.width).toBeLessThan(sheet.width);
	const middle = Math.round((own.width - 36) / 8); // of the first of four pictures with three gaps
	expect([...own.data.subarray((48 * own.width + middle) * 3, (48 * own.width + middle) * 3 + 3)]).toEqual([51, 153, 255]);
	for (const { part, plannedBytes, peakBytes } of context.measurements as { part: string; plannedBytes: number; peakBytes: number }[]) {
		expect([part, peakBytes <= plannedBytes]).toEqual(["preview", true]);
	}
	await expect(previewSheet({ ...context, maxMemory: 1000 }, surface)).rejects.toMatchObject({ code: "memory" });
	await expect(
		previewSheet(context, { mesh: { positions: new Float32Array(0), faces: new Uint32Array(0) } }, blankImage(9, 9, 3)),
	).rejects.toThrow("nothing to draw");
});

import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { openU2netWeights } from "../../engine/models/u2netWeights.ts";
import { removeBackgrounds } from "../../engine/stages/background.ts";
import { maskedViews } from "../../engine/stages/maskedView.ts";
import { Networks } from "../../engine/stages/networks.ts";
import { bareContext } from "../../engine/stages/part.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { randomValues, testDevice } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";
import { tinyU2net, u2netOnnx } from "../support/u2netFiles.ts";

it("gives a picture of the same size with its own colours and the mask as alpha, and leaves nothing on the GPU", async () => {
	const device = await testDevice();
	const network = await openU2netWeights(memoryByteSource("u2net.onnx", u2netOnnx(tinyU2net())));
	const noise = randomValues(90 * 70 * 3, 4, 127);
	const photo = imageOf(
		90,
		70,
		3,
		Uint8Array.from(noise, (value) => value + 128),
	);
	const context = bareContext(device);
	const before = device.memory.currentBytes;
	const dark = { ...photo, data: photo.data.map((value) => value >> 1) };
	const { colors, normals } = await maskedViews(context, { colors: [photo], normals: [dark] }, network);
	const [cut] = colors;
	expect(normals.map(({ data }) => data.filter((_, i) => i % 4 !== 3))).toEqual([dark.data]);
	expect([cut.width, cut.height, cut.channels]).toEqual([90, 70, 4]);
	expect(cut.data.filter((_, i) => i % 4 !== 3)).toEqual(photo.data);
	expect(new Set(cut.data.filter((_, i) => i % 4 === 3)).size).toBeGreaterThan(50);
	expect(device.memory.currentBytes).toBe(before);
	expect(context.measurements.map(({ part }) => part)).toEqual(["background"]);
	const tight = await failureOf(() => removeBackgrounds({ ...context, networks: new Networks(), maxMemory: 1e6 }, network, [photo]));
	expect(tight).toMatchObject({ code: "memory" });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Image, imageOf } from "../../engine/image/image.ts";
import { findBackgroundNetwork } from "../../runners/backgroundNetwork.ts";
import { type BackgroundChoice, pictureToCut } from "../../runners/cutOut.ts";
import { failureOf } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { tinyU2net, u2netOnnx } from "../support/u2netFiles.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-cutout-"));
	vi.stubEnv("U2NET_HOME", join(folder, "home"));
});
afterEach(() => {
	vi.unstubAllEnvs();
	rmSync(folder, { recursive: true, force: true });
});

const square = (channels: number, sample: (x: number, y: number, c: number) => number): Image =>
	imageOf(
		40,
		40,
		channels,
		Uint8Array.from({ length: 1600 * channels }, (_, i) =>
			sample(Math.floor(i / channels) % 40, Math.floor(i / channels / 40), i % channels),
		),
	);
const inside = (x: number, y: number) => x > 9 && x < 30 && y > 4 && y < 35;
const photo = square(3, (x, y) => (inside(x, y) ? 90 : 255));
const opaque = square(4, (x, y, c) => (c === 3 ? 255 : inside(x, y) ? 90 : 255));
const cut = square(4, (x, y, c) => (c === 3 ? (inside(x, y) ? 255 : 0) : 90));
const decide = (image: Image, background: BackgroundChoice, weights = folder) => pictureToCut(image, { background, weights });
const messageOf = async (work: Promise<unknown>) => ((await failureOf(() => work)) as Error | undefined)?.message;

it("needs the network for RGB and for opaque RGBA alike, and says what to do without", async () => {
	expect(await messageOf(decide(photo, "auto"))).toBe(
		"The picture has no alpha channel, and there is no network that removes backgrounds.",
	);
	expect(await messageOf(decide(opaque, "auto", "synthetic:tiny"))).toBe(
		"The picture is opaque everywhere, and there is no network that removes backgrounds.",
	);
	expect(await messageOf(decide(cut, "remove"))).toMatch(/^--background remove, and there is no network/);
	writeFileSync(join(folder, "u2net.onnx"), u2netOnnx(tinyU2net()));
	for (const image of [photo, opaque]) {
		const { network, cutOut } = await decide(image, "auto");
		expect(network?.path).toBe(join(folder, "u2net.onnx"));
		expect(cutOut).toMatch(/^removed by .*u2net.onnx \(\d+ bytes\)$/);
	}
	expect((await decide(cut, "auto")).network).toBeUndefined();
	expect((await decide(cut, "remove")).network).toBeDefined();
	expect(await messageOf(decide(opaque, "keep"))).toBe("The picture is opaque everywhere.");
});

it("cuts from plain white where it is told to", async () => {
	const { image, network } = await decide(photo, "white");
	expect(network).toBeUndefined();
	expect([image.channels, image.data[3], image.data[(20 * 40 + 20) * 4 + 3]]).toEqual([4, 0, 255]);
	expect(
		await messageOf(
			decide(
				square(3, () => 90),
				"white",
			),
		),
	).toBe("The picture is opaque everywhere.");
});

it("finds the network in $U2NET_HOME and ~/.u2net too", async () => {
	writeFileSync(join(folder, "u2netp.safetensors"), safetensorsBytes(tinyU2net()));
	expect((await findBackgroundNetwork([], { U2NET_HOME: folder }))?.path).toBe(join(folder, "u2netp.safetensors"));
	expect(await findBackgroundNetwork([], { HOME: folder })).toBeUndefined();
	expect(await findBackgroundNetwork([join(folder, "nowhere")], { HOME: join(folder, "x") })).toBeUndefined();
});

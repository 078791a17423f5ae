import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { writeGlb } from "../../engine/mesh/glb.ts";
import { writeVoxelPly } from "../../engine/mesh/ply.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { writeGaussianPly } from "../../engine/splat/gaussianPly.ts";
import { parseCommandLine } from "../../runners/arguments.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { render } from "../../runners/render.ts";
import { renderArguments } from "../../runners/renderArguments.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { testDevice } from "../support/gpu.ts";
import { randomCloud } from "../support/randomCloud.ts";

let folder: string;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-render-"));
	const ball = ballMesh([0, 0, 0], 0.4, 10);
	const png = await encodePng(imageOf(2, 2, 3, new Uint8Array(12).fill(90)));
	const uvs = new Float32Array((ball.positions.length / 3) * 2).fill(0.5);
	writeFileSync(join(folder, "ball.glb"), await writeGlb(ball, { texture: { file: png, uvs, normals: vertexNormals(ball) } }));
	writeFileSync(join(folder, "plain.glb"), await writeGlb(ball));
	writeFileSync(join(folder, "voxels.ply"), writeVoxelPly(Int32Array.of(1, 1, 1, 2, 1, 1)));
	writeFileSync(join(folder, "cloud.ply"), writeGaussianPly(randomCloud(40, 1)));
	writeFileSync(join(folder, "points.ply"), "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parse = (...argv: string[]) => renderArguments(parseCommandLine(["render", ...argv]));

async function rendered(file: string, output: string, ...argv: string[]) {
	const options = parse(join(folder, file), "-o", join(folder, output), ...argv);
	const context = { maxMemory: options.maxMemory, onProgress: undefined, onPlan: undefined, signal: undefined, measurements: [] };
	const device = await testDevice();
	await render(options, context, async () => ({ ...device, close: () => undefined }));
	return readFileSync(join(folder, output));
}

describe("render", () => {
	it("draws a texture's own colours from four sides, side by side", async () => {
		const { data, info } = await sharp(await rendered("ball.glb", "four.png", "--size", "32"))
			.raw()
			.toBuffer({ resolveWithObject: true });
		expect([info.width, info.height, info.channels]).toEqual([128, 32, 3]);
		for (const x of [16, 48, 80, 112]) expect([...data.subarray((16 * 128 + x) * 3, (16 * 128 + x) * 3 + 3)]).toEqual([90, 90, 90]);
		expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
		expect(await rendered("ball.glb", "again.png", "--size", "32")).toEqual(readFileSync(join(folder, "four.png")));
	});

	it("leaves the background transparent, or in another colour", async () => {
		const clear = await sharp(await rendered("plain.glb", "clear.png", "--size", "16", "--views", "back", "--background", "transparent"))
			.raw()
			.toBuffer({ resolveWithObject: true });
		expect([clear.info.width, clear.info.channels, clear.data[3]]).toEqual([16, 4, 0]);
		const green = await rendered("plain.glb", "green.webp", "--size", "16", "--views", "front,left", "--background", "#00ff00");
		expect([...(await sharp(green).raw().toBuffer()).subarray(0, 3)]).toEqual([0, 255, 0]);
	});

	it.each(["webp", "gif"])("turns Gaussians and voxels around in an animated %s", async (ending) => {
		const file = await rendered("cloud.ply", `turn.${ending}`, "--views", "turntable", "--frames", "3", "--size", "32");
		expect(await sharp(file, { animated: true }).metadata()).toMatchObject({ pages: 3, pageHeight: 32, width: 32, loop: 0 });
		const voxels = await rendered("voxels.ply", `voxels.${ending}`, "--views", "turntable", "--frames", "4", "--size", "16", "--up", "z");
		expect((await sharp(voxels, { animated: true }).metadata()).pages).toBe(4);
	});

	it("says what it needs, and leaves no file behind", async () => {
		const refused = (file: string, output: string, ...argv: string[]) => expect(rendered(file, output, ...argv)).rejects;
		const path = process.env.PATH;
		process.env.PATH = folder;
		await refused("ball.glb", "turn.mp4", "--views", "turntable").toMatchObject({
			code: "input",
			message: expect.stringContaining("ffmpeg is not on the PATH"),
		});
		process.env.PATH = path;
		await refused("nothing.glb", "x.png").toMatchObject({ code: "input", message: expect.stringContaining("there is no such file") });
		await refused("points.ply", "x.png").toMatchObject({
			code: "input",
			message: expect.stringContaining("holds neither faces nor Gaussians"),
		});
		await refused("ball.glb", "x.png", "--max-memory", "1KB").toMatchObject({
			code: "memory",
			message: expect.stringMatching(/^render: pictures needs \d+ bytes/),
		});
		expect(readdirSync(folder).filter((name) => name.startsWith("x.") || name.endsWith(".part"))).toEqual([]);
	});

	it.each([
		[[], /render takes one .glb or .ply file/],
		[["a.obj", "-o", "x.png"], /render takes a .glb or .ply file, got a.obj/],
		[["a.glb"], /-o FILE is missing/],
		[["a.glb", "-o", "x.gif"], /-o must end in .png or .webp, got x.gif/],
		[["a.glb", "-o", "x.png", "--views", "turntable"], /-o must end in .webp, .gif or .mp4/],
		[["a.glb", "-o", "x.png", "--views", "top"], /--views must be front or right or back or left, got top/],
		[["a.glb", "-o", "x.png", "--size", "5000"], /--size must be a whole number from 16 to 4096/],
		[["a.glb", "-o", "x.png", "--background", "blue"], /--background must be #rrggbb/],
		[["a.glb", "-o", "x.mp4", "--views", "turntable", "--background", "transparent"], /transparent does not go with .mp4/],
		[["a.glb", "-o", "x.png", "--shading", "flat"], /--shading must be color or lit or normals/],
	])("refuses %j", (argv, message) => {
		expect(() => parse(...argv)).toThrow(message);
	});
});

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { blankImage, type Image, imageOf } from "../../engine/image/image.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import type { StageOneResult } from "../../engine/stages/results.ts";
import { finishArguments } from "../../runners/finishArguments.ts";
import { readStageOne, writeStageOne, writeStageTwo } from "../../runners/stageFolders.ts";
import { npyArray, npyElements } from "../../weights/npy.ts";
import { readNpz, writeNpz } from "../../weights/npz.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { failureOf } from "../support/hostile.ts";
import { randomCloud } from "../support/randomCloud.ts";
import { stageOneResult } from "../support/stageResults.ts";

let folder: string;
let result: StageOneResult;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-stage-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
	result = stageOneResult();
	await writeStageOne(folder, result);
});

const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);
const latent = (values: readonly number[], shape: readonly number[], key = "coords") =>
	put("latent.npz", writeNpz(new Map([[key, npyArray("f4", shape, Float32Array.from(values))]])));

describe("stage1 folder", () => {
	it("has upstream's names and is read back as it was", async () => {
		const pictures = [0, 1, 2, 3, 4].flatMap((view) => [`color_${view}.png`, `normal_${view}.png`]);
		expect(readdirSync(folder).sort()).toEqual([...pictures, "concat.png", "input.png", "latent.npz", "voxel.ply"].sort());
		expect(await readStageOne(folder)).toEqual(result);
		const coords = (await readNpz(new Uint8Array(readFileSync(join(folder, "latent.npz"))))).get("coords");
		expect(coords).toMatchObject({ dtype: "f4", shape: [3, 4] });
		if (coords !== undefined) expect(npyElements(coords)).toEqual(Float32Array.from(result.coordinates));
		const { width, height, channels } = await sharp(join(folder, "concat.png")).metadata();
		expect([width, height, channels]).toEqual([320, 32, 3]);
		expect(readFileSync(join(folder, "voxel.ply"), "latin1")).toContain("element vertex 27\n");
	});

	it("is the same bytes for the same result", async () => {
		const bytes = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString("base64"));
		const before = bytes();
		await writeStageOne(folder, result);
		expect(bytes()).toEqual(before);
	});

	it("of numpy: stored or compressed, float or integer, any order of rows", async () => {
		const rows = [0, 0, 0, 0, 0, 3, 2, 63, 0, 3, 40, 5, 0, 63, 63, 63];
		for (const name of ["latent.npz", "compressed.npz"]) {
			copyFileSync(join("test/fixtures/stageFolder", name), join(folder, "latent.npz"));
			expect((await readStageOne(folder)).coordinates).toEqual(Int32Array.from(rows));
		}
	});

	it("takes views with alpha, and makes views that are no squares 768 pixels", async () => {
		const rgba = (width: number, height: number) => pngOf(imageOf(width, height, 4, new Uint8Array(width * height * 4).fill(9)));
		put("color_2.png", await rgba(32, 32));
		const alike = await readStageOne(folder);
		expect(alike.colors[2]).toEqual(imageOf(32, 32, 3, new Uint8Array(32 * 32 * 3).fill(9)));
		expect(alike.colors[1]).toEqual(result.colors[1]);
		for (const name of ["color", "normal"]) for (const view of [0, 1, 2, 3, 4]) put(`${name}_${view}.png`, await rgba(20, 24));
		const { colors, normals } = await readStageOne(folder);
		for (const image of [...colors, ...normals]) expect([image.width, image.height, image.channels]).toEqual([768, 768, 3]);
	});

	it.each([
		["latent.npz", /there is no such file/, () => rmSync(join(folder, "latent.npz"))],
		["latent.npz", /latent\.npz/, () => put("latent.npz", "not a zip")],
		["latent.npz", /latent\.npz/, () => put("latent.npz", readFileSync(join(folder, "latent.npz")).subarray(0, 150))],
		["latent.npz", /holds no array "coords"/, () => latent([0, 1, 2, 3], [1, 4], "voxels")],
		["latent.npz", /must be \[n, 4\], got \[4\]/, () => latent([0, 1, 2, 3], [4])],
		["latent.npz", /must be \[n, 4\], got \[1, 3\]/, () => latent([1, 2, 3], [1, 3])],
		["latent.npz", /holds no voxels/, () => latent([], [0, 4])],
		["latent.npz", /voxel 1 is \(0, 1, 2, 64\)/, () => latent([0, 1, 2, 3, 0, 1, 2, 64], [2, 4])],
		["latent.npz", /voxel 0 is \(1, 1, 2, 3\)/, () => latent([1, 1, 2, 3], [1, 4])],
		["latent.npz", /voxel 0 is \(0, 1.5, 2, 3\)/, () => latent([0, 1.5, 2, 3], [1, 4])],
		["latent.npz", /voxel 0 is \(0, NaN, 2, 3\)/, () => latent([0, Number.NaN, 2, 3], [1, 4])],
		["latent.npz", /holds a voxel twice/, () => latent([0, 1, 2, 3, 0, 1, 2, 3], [2, 4])],
		["normal_2.png", /has 16 x 20 pixels, color_0.png 32 x 32/, async () => put("normal_2.png", await pngOf(blankImage(16, 20, 3)))],
		["normal_3.png", /there is no such file/, () => rmSync(join(folder, "normal_3.png"))],
		["color_0.png", /the PNG file is damaged/, () => put("color_0.png", readFileSync(join(folder, "color_0.png")).subarray(0, 100))],
		["input.png", /has no alpha channel/, async () => put("input.png", await pngOf(result.colors[0]))],
	])("refuses a %s that cannot be used: %s", async (name, problem, change) => {
		await change();
		const error = await failureOf(() => readStageOne(folder));
		expect(error).toMatchObject({ code: "input", message: expect.stringMatching(problem), hint: expect.stringMatching(/\w/) });
		expect((error as Error).message.startsWith(`${join(folder, name)}: `)).toBe(true);
	});
});

const pngOf = ({ width, height, channels, data }: Image) =>
	sharp(data, { raw: { width, height, channels: channels as 3 | 4 } })
		.png()
		.toBuffer();

describe("stage2 folder", () => {
	it("holds a texture inside output.glb, and the Gaussians", async () => {
		const mesh = ballMesh([0, 0, 0], 0.4, 8);
		const uvs = new Float32Array((mesh.positions.length / 3) * 2).fill(0.5);
		const picture = imageOf(
			2,
			2,
			3,
			Uint8Array.from({ length: 12 }, (_, i) => i * 20),
		);
		const paths = await writeStageTwo(
			join(folder, "three"),
			{ mesh, gaussians: randomCloud(5, 1), syntheticGeometry: false, texture: { picture, uvs, normals: vertexNormals(mesh) } },
			finishArguments({}),
			{},
		);
		expect(paths).toEqual(["output.glb", "gaussians.ply"].map((name) => join(folder, "three", name)));
		const glb = readFileSync(paths[0]);
		const json = JSON.parse(glb.subarray(20, 20 + glb.readUInt32LE(12)).toString());
		const { byteOffset = 0, byteLength } = json.bufferViews[json.images[0].bufferView];
		const png = glb.subarray(20 + glb.readUInt32LE(12) + 8).subarray(byteOffset, byteOffset + byteLength);
		expect(new Uint8Array(await sharp(png).raw().toBuffer())).toEqual(picture.data);
		expect(readFileSync(paths[1]).subarray(0, 4).toString()).toBe("ply\n");
	});

	it("holds output.glb with what it was made from", async () => {
		const gaussians = { count: 0, positions: none, featuresDc: none, scales: none, rotations: none, opacities: none };
		await writeStageTwo(
			join(folder, "two"),
			{ mesh: ballMesh([0, 0, 0], 0.4, 8), gaussians, syntheticGeometry: false },
			finishArguments({}),
			{ seed: 43, weights: "w" },
		);
		expect(readdirSync(join(folder, "two"))).toEqual(["output.glb"]);
		const glb = readFileSync(join(folder, "two", "output.glb"));
		const json = JSON.parse(glb.subarray(20, 20 + glb.readUInt32LE(12)).toString());
		expect(json.asset.extras).toEqual({ seed: 43, weights: "w" });
	});
});

const none = new Float32Array(0);

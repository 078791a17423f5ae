import { WebIO } from "@gltf-transform/core";
import { validateBytes } from "gltf-validator";
import { describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { imageOf } from "../../engine/image/image.ts";
import { srgbToLinear, writeGlb } from "../../engine/mesh/glb.ts";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { randomValues } from "../support/gpu.ts";

async function validate(bytes: Uint8Array) {
	const { issues } = await validateBytes(bytes);
	return [issues.numErrors, issues.numWarnings, issues.numInfos, issues.numHints, ...issues.messages.map((message) => message.code)];
}

const ball = ballMesh([0.1, -0.2, 0.3], 0.2, 12);
const colors = randomValues(ball.positions.length, 1, 0.5).map((value) => value + 0.5);
const colored: Mesh = { ...ball, colors };

describe("writeGlb", () => {
	it("passes the validator without a single message and is the same every time", async () => {
		const bytes = await writeGlb(colored, { extras: { seed: 43, weights: "synthetic:tiny" } });
		expect(await validate(bytes)).toEqual([0, 0, 0, 0]);
		expect(await writeGlb(colored, { extras: { seed: 43, weights: "synthetic:tiny" } })).toEqual(bytes);
		expect(await validate(await writeGlb(ball))).toEqual([0, 0, 0, 0]);
	});

	it("turns z up into y up, so that the front (-y) faces +z, and keeps outsides outside", async () => {
		const document = await new WebIO().readBinary(await writeGlb(colored, { extras: { seed: 7 } }));
		const root = document.getRoot();
		expect(root.getAsset().extras).toEqual({ seed: 7 });
		const primitive = root.listMeshes()[0].listPrimitives()[0];
		const element = (name: string, i: number) => primitive.getAttribute(name)?.getElement(i, []) ?? [];
		for (let i = 0; i < ball.positions.length / 3; i++) {
			const [x, y, z] = ball.positions.subarray(i * 3, i * 3 + 3);
			expect(element("POSITION", i)).toEqual([x, z, 0 - y]);
			const outward = [x - 0.1, z - 0.3, -y - 0.2].reduce((sum, value, k) => sum + (value / 0.2) * element("NORMAL", i)[k], 0);
			expect(outward).toBeGreaterThan(0.98);
			const linear = Array.from(colors.subarray(i * 3, i * 3 + 3), srgbToLinear);
			for (let k = 0; k < 3; k++) expect(Math.abs(element("COLOR_0", i)[k] - linear[k])).toBeLessThan(1e-5);
		}
		expect([...(primitive.getIndices()?.getArray() ?? [])]).toEqual([...ball.faces]);
		const material = primitive.getMaterial();
		expect([material?.getMetallicFactor(), material?.getRoughnessFactor(), material?.getDoubleSided(), material?.getAlphaMode()]).toEqual([
			0,
			1,
			false,
			"OPAQUE",
		]);
	});

	it("leaves out faces that name a vertex twice and vertices without a face", async () => {
		const positions = Float32Array.from([9, 9, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 8, 8, 8]);
		const bytes = await writeGlb({ positions, faces: Uint32Array.of(1, 1, 4, 1, 2, 3, 0, 2, 0), colors: new Float32Array(15).fill(0.5) });
		expect(await validate(bytes)).toEqual([0, 0, 0, 0]);
		const primitive = (await new WebIO().readBinary(bytes)).getRoot().listMeshes()[0].listPrimitives()[0];
		expect([...(primitive.getIndices()?.getArray() ?? [])]).toEqual([0, 1, 2]);
		expect(primitive.getAttribute("POSITION")?.getCount()).toBe(3);
	});

	it("takes faces without area and more vertices than 16 bits can count", async () => {
		const flat = await writeGlb({ positions: new Float32Array(9), faces: Uint32Array.of(0, 1, 2) });
		expect((await validate(flat)).slice(0, 2)).toEqual([0, 0]);
		const large = await writeGlb(ballMesh([0, 0, 0], 0.4, 200));
		expect(await validate(large)).toEqual([0, 0, 0, 0]);
	});

	it("puts a picture on the mesh: v runs down in the file, normals are those given, vertex colours stay out", async () => {
		const png = await encodePng(imageOf(4, 4, 3, new Uint8Array(48).fill(99)));
		const uvs = randomValues((ball.positions.length / 3) * 2, 5, 0.5).map((value) => value + 0.5);
		const normals = vertexNormals(ball).map((value, i) => (i % 3 === 2 ? -value : value));
		const bytes = await writeGlb(colored, { texture: { file: png, uvs, normals } });
		expect(await validate(bytes)).toEqual([0, 0, 0, 0]);
		const primitive = (await new WebIO().readBinary(bytes)).getRoot().listMeshes()[0].listPrimitives()[0];
		const material = primitive.getMaterial();
		expect(material?.getBaseColorTexture()?.getImage()).toEqual(new Uint8Array(png));
		expect([material?.getMetallicFactor(), material?.getRoughnessFactor(), material?.getBaseColorFactor()]).toEqual([0, 1, [1, 1, 1, 1]]);
		expect(primitive.getAttribute("COLOR_0")).toBeNull();
		const element = (name: string, i: number) => primitive.getAttribute(name)?.getElement(i, []) ?? [];
		for (let i = 0; i < uvs.length / 2; i++) {
			expect(element("TEXCOORD_0", i)).toEqual([uvs[i * 2], Math.fround(1 - uvs[i * 2 + 1])]);
			expect(element("NORMAL", i)).toEqual([normals[i * 3], normals[i * 3 + 2], 0 - normals[i * 3 + 1]]);
		}
		const short = writeGlb(ball, { texture: { file: png, uvs: uvs.slice(2), normals } });
		await expect(short).rejects.toMatchObject({ code: "input", message: expect.stringContaining("uvs must be") });
	});

	it.each([
		["no faces", { positions: new Float32Array(9), faces: Uint32Array.of(0, 0, 1) }],
		["positions[1] is not finite", { positions: Float32Array.of(0, 0, 0, 0, Number.NaN, 0, 1, 1, 1), faces: Uint32Array.of(0, 1, 2) }],
		["face 1 names a vertex beyond 3", { positions: new Float32Array(9), faces: Uint32Array.of(0, 1, 2, 0, 1, 3) }],
		["colors must be 3 x 3", { positions: new Float32Array(9), faces: Uint32Array.of(0, 1, 2), colors: new Float32Array(8) }],
	])("refuses a mesh with %s", async (message, mesh) => {
		const refused = expect(writeGlb(mesh)).rejects;
		await refused.toThrow(message);
		await expect(writeGlb(mesh)).rejects.toBeInstanceOf(SyncHumanError);
	});
});

it("srgbToLinear has the standard's two branches", () => {
	expect([srgbToLinear(0), srgbToLinear(1), srgbToLinear(-1), srgbToLinear(2)]).toEqual([0, 1, 0, 1]);
	expect(srgbToLinear(0.04)).toBeCloseTo(0.04 / 12.92, 12);
	expect(srgbToLinear(0.5)).toBeCloseTo(0.21404114, 8);
});

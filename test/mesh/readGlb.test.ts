import { Document, WebIO } from "@gltf-transform/core";
import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { writeGlb } from "../../engine/mesh/glb.ts";
import { readGlb } from "../../engine/mesh/readGlb.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { randomValues } from "../support/gpu.ts";

const ball = ballMesh([0.1, -0.2, 0.3], 0.2, 6);

it("gives back what writeGlb wrote: world, normals, texture, v up", async () => {
	const png = await encodePng(imageOf(4, 4, 3, new Uint8Array(48).fill(99)));
	const uvs = randomValues((ball.positions.length / 3) * 2, 5, 0.5).map((value) => Math.fround(value + 0.5));
	const [part, ...more] = await readGlb(await writeGlb(ball, { texture: { file: png, uvs, normals: vertexNormals(ball) } }), "a.glb");
	expect(more).toEqual([]);
	expect(part.positions).toEqual(ball.positions);
	expect(part.faces).toEqual(ball.faces);
	expect(part.picture).toEqual(new Uint8Array(png));
	part.uvs?.forEach((value, i) => {
		expect(value).toBeCloseTo(uvs[i], 6);
	});
	const normals = vertexNormals(ball);
	part.normals?.forEach((value, i) => {
		expect(value).toBeCloseTo(normals[i], 6);
	});
});

it("gives vertex colours back in sRGB", async () => {
	const colors = ball.positions.map((_, i) => (i % 11) / 10);
	const [part] = await readGlb(await writeGlb({ ...ball, colors }), "a.glb");
	expect(part.picture).toBeUndefined();
	part.colors?.forEach((value, i) => {
		expect(value).toBeCloseTo(colors[i], 3);
	});
});

it("applies nodes, reads strips and fans, and passes over lines", async () => {
	const document = new Document();
	const buffer = document.createBuffer();
	const accessor = document
		.createAccessor()
		.setType("VEC3")
		.setArray(Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0))
		.setBuffer(buffer);
	const primitive = (mode: 1 | 5 | 6) => document.createPrimitive().setAttribute("POSITION", accessor).setMode(mode);
	const mesh = document.createMesh().addPrimitive(primitive(5)).addPrimitive(primitive(6)).addPrimitive(primitive(1));
	const child = document.createNode().setMesh(mesh).setScale([2, 2, 2]);
	document.createScene().addChild(document.createNode().addChild(child).setTranslation([0, 0, 5]));
	const parts = await readGlb(await new WebIO().writeBinary(document), "a.glb");
	expect(parts.map(({ faces }) => [...faces])).toEqual([
		[0, 1, 2, 1, 3, 2],
		[0, 1, 2, 0, 2, 3],
	]);
	expect([...parts[0].positions.subarray(9)]).toEqual([2, -5, 2]); // glTF's (2, 2, 5)
});

it("refuses what is no GLB and what has no triangles", async () => {
	await expect(readGlb(Uint8Array.of(1, 2, 3), "x.glb")).rejects.toMatchObject({
		code: "input",
		message: expect.stringMatching(/^x\.glb: is not a GLB/),
	});
	const document = new Document();
	document.createScene();
	await expect(readGlb(await new WebIO().writeBinary(document), "x.glb")).rejects.toThrow("x.glb: has no triangles");
});

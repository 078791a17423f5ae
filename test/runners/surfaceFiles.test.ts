import { validateBytes } from "gltf-validator";
import sharp from "sharp";
import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { readGlb } from "../../engine/mesh/readGlb.ts";
import { meshOfPly, readPly } from "../../engine/mesh/readPly.ts";
import { unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { vertexTangents } from "../../engine/mesh/vertexTangents.ts";
import { finishArguments } from "../../runners/finishArguments.ts";
import type { OptionValues } from "../../runners/optionValues.ts";
import { type Surface, surfaceFiles } from "../../runners/surfaceFiles.ts";
import { ballMesh } from "../support/ballMesh.ts";

const side = 64;
const grey = (value: number) => imageOf(side, side, 3, new Uint8Array(side * side * 3).fill(value));
const ball = ballMesh([0, 0, 0], 0.4, 10);

async function surface(): Promise<Surface> {
	const mesh = await unwrapMesh(ball, { textureSize: side, padding: 2 });
	const smooth = vertexNormals(ball);
	const normals = Float32Array.from(mesh.positions, (_, i) => smooth[mesh.sourceVertices[Math.floor(i / 3)] * 3 + (i % 3)]);
	const normalMap = { picture: grey(128), tangents: vertexTangents(mesh, mesh.uvs, normals) };
	return { mesh, texture: { picture: grey(99), uvs: mesh.uvs, normals, normalMap } };
}

async function made(values: OptionValues) {
	const files = await surfaceFiles(await surface(), finishArguments({ "texture-size": "512", ...values }), { seed: 43 });
	expect(await surfaceFiles(await surface(), finishArguments({ "texture-size": "512", ...values }), { seed: 43 })).toEqual(files);
	return new Map(files);
}

const without = async ({ mesh, texture }: Surface): Promise<Surface> => ({
	mesh,
	texture: texture && { ...texture, normalMap: undefined },
});

it.each<[string, OptionValues]>([
	["nothing more", {}],
	["webp", { "texture-format": "webp" }],
	["unlit", { unlit: true }],
	["metres", { height: "1.75" }],
])("passes the validator without a message: %s", async (_, values) => {
	const options = finishArguments({ "texture-size": "512", ...values });
	for (const one of [await surface(), await without(await surface()), { mesh: { ...ball, colors: ball.positions.map(Math.abs) } }]) {
		const [[name, bytes]] = await surfaceFiles(one, options, { seed: 43 });
		const { issues } = await validateBytes(bytes);
		expect([name, issues.numErrors, issues.numWarnings, issues.numInfos, issues.messages]).toEqual([
			"output.glb",
			0,
			0,
			0,
			expect.anything(),
		]);
	}
});

it("compresses: the validator, which does not know that extension, has nothing else to say, and the mesh is the same to 0.1 mm", async () => {
	const plain = (await made({})).get("output.glb") as Uint8Array;
	const small = (await made({ compress: true })).get("output.glb") as Uint8Array;
	expect(small.length).toBeLessThan(plain.length * 0.6);
	const { issues } = await validateBytes(small);
	expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0]);
	expect(issues.messages.filter(({ severity }) => severity < 3).map(({ code }) => code)).toEqual(["UNSUPPORTED_EXTENSION"]);
	const [[first], [second]] = [await readGlb(plain, "a.glb"), await readGlb(small, "b.glb")];
	expect(second.faces.length).toBe(first.faces.length);
	const sorted = ({ positions }: { readonly positions: Float32Array }) =>
		Array.from({ length: positions.length / 3 }, (_, v) =>
			Math.hypot(positions[v * 3], positions[v * 3 + 1] + 1, positions[v * 3 + 2] + 2),
		).sort();
	sorted(second).forEach((value, i) => {
		expect(Math.abs(value - sorted(first)[i])).toBeLessThan(1e-4);
	});
});

it("scales everything to metres and says so", async () => {
	const files = await made({ height: "1.6", "mesh-format": "ply,obj" });
	expect([...files.keys()]).toEqual(["output.glb", "output.obj", "output.mtl", "output_texture.png", "output_mesh.ply"]);
	const glb = files.get("output.glb") as Uint8Array;
	const json = JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + new DataView(glb.buffer, glb.byteOffset).getUint32(12, true))));
	expect(json.asset.extras).toEqual({ seed: 43, heightMetres: 1.6 });
	const [{ positions }] = await readGlb(glb, "a.glb");
	const up = positions.filter((_, i) => i % 3 === 2);
	expect(Math.max(...up) - Math.min(...up)).toBeCloseTo(1.6, 5);
});

it("writes an OBJ with its picture, and a PLY with the picture's colours, both y up", async () => {
	const files = await made({ "mesh-format": "obj,ply" });
	const text = new TextDecoder().decode(files.get("output.obj"));
	const lines = (word: string) => text.split("\n").filter((line) => line.startsWith(`${word} `));
	const { mesh } = await surface();
	const count = mesh.positions.length / 3;
	expect([lines("v").length, lines("vt").length, lines("vn").length, lines("f").length]).toEqual([
		count,
		count,
		count,
		mesh.faces.length / 3,
	]);
	const [x, y, z] = mesh.positions;
	expect(lines("v")[0].split(" ").slice(1).map(Number)).toEqual([x, z, -y].map((value) => expect.closeTo(value, 5)));
	expect(lines("f")[0]).toBe(
		`f ${[...mesh.faces.subarray(0, 3)].map((vertex) => [1, 1, 1].map((one) => vertex + one).join("/")).join(" ")}`,
	);
	expect(text).toContain("mtllib output.mtl");
	expect(new TextDecoder().decode(files.get("output.mtl"))).toContain("map_Kd output_texture.png");
	expect((await sharp(files.get("output_texture.png")).metadata()).width).toBe(side);
	const read = meshOfPly(readPly(files.get("output_mesh.ply") as Uint8Array, "m.ply"), "m.ply", true);
	expect(read?.positions).toEqual(mesh.positions.map((value) => value + 0));
	expect(read?.faces).toEqual(mesh.faces);
	expect(new Set(read?.colors?.map((value) => Math.round(value * 255)))).toEqual(new Set([99]));
	const colored = await surfaceFiles(
		{ mesh: { ...ball, colors: ball.positions.map(() => 1) } },
		finishArguments({ "mesh-format": "obj,ply" }),
		{},
	);
	expect(colored.map(([name]) => name)).toEqual(["output.glb", "output.obj", "output_mesh.ply"]);
	expect(new TextDecoder().decode(colored[1][1])).toMatch(/\nv \S+ \S+ \S+ 1 1 1\n/);
});

import { beforeAll, expect, it } from "vitest";
import { bakeNormals, type NormalView } from "../../engine/mesh/bakeNormals.ts";
import { bodyCameras } from "../../engine/mesh/bodyViews.ts";
import { rasterizeFaces } from "../../engine/mesh/triangleRaster.ts";
import { type UnwrappedMesh, unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { vertexTangents } from "../../engine/mesh/vertexTangents.ts";
import { ballMesh } from "../support/ballMesh.ts";

const size = 128;
const [radius, pixels] = [0.4, 96];
let mesh: UnwrappedMesh;
let normals: Float32Array;
let tangents: Float32Array;
beforeAll(async () => {
	const ball = ballMesh([0, 0, 0], radius, 24);
	mesh = await unwrapMesh(ball, { textureSize: size, padding: 2 });
	const smooth = vertexNormals(ball);
	normals = Float32Array.from(mesh.positions, (_, i) => smooth[mesh.sourceVertices[Math.floor(i / 3)] * 3 + (i % 3)]);
	tangents = vertexTangents(mesh, mesh.uvs, normals);
});

/** The stored normal picture of a ball whose normals are tilted by `tilt` (world z is added and the normal made unit length again). */
function view(index: number, tilt: number): NormalView {
	const { direction, columnAxis } = bodyCameras[index];
	const data = new Uint8Array(pixels * pixels * 3).fill(255);
	for (let i = 0; i < pixels * pixels; i++) {
		const [column, z] = [((i % pixels) + 0.5) / pixels - 0.5, 0.5 - (Math.floor(i / pixels) + 0.5) / pixels];
		const depth = Math.sqrt(radius ** 2 - column ** 2 - z ** 2);
		if (Number.isNaN(depth)) continue;
		const position = [0, 1, 2].map((axis) => (axis === 2 ? z : axis === columnAxis ? column : depth * direction[axis]));
		const tilted = position.map((value, axis) => value / radius + (axis === 2 ? tilt : 0));
		const [x, y, up] = tilted.map((value) => value / Math.hypot(...tilted));
		data.set(
			[x, up, -y].map((value) => Math.round(127.5 + 127.5 * value)),
			i * 3,
		);
	}
	return { width: pixels, height: pixels, data };
}

/** The world's normal that the map shows at each covered texel, and the surface's own. */
function decoded(map: Uint8Array): { readonly shown: number[]; readonly own: number[] }[] {
	const clip = Float32Array.from(
		{ length: mesh.uvs.length * 2 },
		(_, i) => [mesh.uvs[(i >> 2) * 2] * 2 - 1, mesh.uvs[(i >> 2) * 2 + 1] * 2 - 1, 0, 1][i & 3],
	);
	const raster = rasterizeFaces(clip, mesh.faces, size, size);
	return [...raster.faces].flatMap((face, pixel) => {
		if (face === 0) return [];
		const vertex = mesh.faces[(face - 1) * 3];
		const row = Math.floor(pixel / size);
		const n = [...map.subarray(((size - 1 - row) * size + (pixel % size)) * 3).subarray(0, 3)].map((value) => value / 127.5 - 1);
		const [normal, t] = [[...normals.subarray(vertex * 3, vertex * 3 + 3)], [...tangents.subarray(vertex * 4, vertex * 4 + 4)]];
		const b = [0, 1, 2].map((k) => (normal[(k + 1) % 3] * t[(k + 2) % 3] - normal[(k + 2) % 3] * t[(k + 1) % 3]) * t[3]);
		return [{ shown: [0, 1, 2].map((k) => n[0] * t[k] + n[1] * b[k] + n[2] * normal[k]), own: normal }];
	});
}
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
const tilted = ([x, y, z]: readonly number[], tilt: number) => [x, y, z + tilt].map((value) => value / Math.hypot(x, y, z + tilt));

it("gives tangents along u, unit length, at right angles to the normals", () => {
	for (let v = 0; v < normals.length / 3; v++) {
		const [n, t] = [[...normals.subarray(v * 3, v * 3 + 3)], [...tangents.subarray(v * 4, v * 4 + 3)]];
		expect(Math.abs(Math.hypot(...t) - 1)).toBeLessThan(1e-5);
		expect(Math.abs(dot(n, t))).toBeLessThan(1e-5);
		expect(Math.abs(tangents[v * 4 + 3])).toBe(1);
	}
	const square = { positions: Float32Array.of(0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1), faces: Uint32Array.of(0, 1, 2, 0, 2, 3) };
	const facing = Float32Array.from({ length: 12 }, (_, i) => [0, -1, 0][i % 3]);
	expect([...vertexTangents(square, Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1), facing).subarray(0, 4)]).toEqual([1, 0, 0, 1]);
	expect([...vertexTangents(square, Float32Array.of(1, 0, 0, 0, 0, 1, 1, 1), facing).subarray(0, 4)]).toEqual([-1, 0, 0, -1]); // u turned over
	expect(Math.hypot(...vertexTangents(square, new Float32Array(8), facing).subarray(0, 3))).toBe(1);
});

it("shows the views' normals where they are seen, the surface's own elsewhere", () => {
	const request = { mesh, uvs: mesh.uvs, normals, tangents, size };
	const straight = decoded(bakeNormals({ ...request, views: [0, 1, 2, 3].map((index) => view(index, 0)) }));
	expect(straight.length).toBeGreaterThan(size * size * 0.3);
	const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
	expect(mean(straight.map(({ shown, own }) => dot(shown, own)))).toBeGreaterThan(0.99);
	const map = bakeNormals({ ...request, views: [0, 1, 2, 3].map((index) => view(index, 0.3)) });
	expect(bakeNormals({ ...request, views: [0, 1, 2, 3].map((index) => view(index, 0.3)) })).toEqual(map);
	const equator = decoded(map).filter(({ own }) => Math.abs(own[2]) < 0.5);
	expect(mean(equator.map(({ shown, own }) => dot(shown, tilted(own, 0.3))))).toBeGreaterThan(0.99);
	expect(mean(equator.map(({ shown, own }) => dot(shown, own)))).toBeLessThan(0.975);
	const empty = { width: 8, height: 8, data: new Uint8Array(192).fill(255) };
	expect(new Set(bakeNormals({ ...request, views: [empty, empty, empty, empty] }))).toEqual(new Set([128, 255]));
});

import { yUp } from "./glb.ts";
import type { Mesh } from "./mesh.ts";

/** A picture that colours vertices. */
export interface PlyPicture {
	readonly width: number;
	readonly height: number;
	/** [height, width, 3] sRGB; row 0 at v = 1. */
	readonly data: Uint8Array;
	/** [v, 2] v runs up. */
	readonly uvs: Float32Array;
}

/**
 * A binary PLY of a mesh, y up and facing +z like the GLB: positions times `scale`, normals where they are given, texture coordinates (s, t) and the
 * picture's colour at each vertex, or else the mesh' own colours.
 */
export function writeMeshPly(mesh: Mesh, normals: Float32Array | undefined, picture: PlyPicture | undefined, scale = 1): Uint8Array {
	const { faces } = mesh;
	const count = mesh.positions.length / 3;
	const colors =
		picture === undefined ? mesh.colors?.map((value) => Math.round(Math.min(Math.max(value, 0), 1) * 255)) : vertexTexels(picture);
	const floats: (readonly [readonly string[], Float32Array])[] = [[["x", "y", "z"], yUp(mesh.positions.map((value) => value * scale))]];
	if (normals !== undefined) floats.push([["nx", "ny", "nz"], yUp(normals)]);
	if (picture !== undefined) floats.push([["s", "t"], picture.uvs]);
	const bytes = colors === undefined ? [] : ["red", "green", "blue"];
	const header = [
		"ply",
		"format binary_little_endian 1.0",
		"comment synchuman-webgpu",
		`element vertex ${count}`,
		...floats.flatMap(([names]) => names.map((name) => `property float ${name}`)),
		...bytes.map((name) => `property uchar ${name}`),
		`element face ${faces.length / 3}`,
		"property list uchar int vertex_indices",
		"end_header\n",
	];
	const start = new TextEncoder().encode(header.join("\n"));
	const rowBytes = floats.reduce((sum, [names]) => sum + names.length * 4, bytes.length);
	const file = new Uint8Array(start.length + count * rowBytes + (faces.length / 3) * 13);
	file.set(start);
	const view = new DataView(file.buffer, start.length);
	let at = 0;
	for (let vertex = 0; vertex < count; vertex++) {
		for (const [{ length }, values] of floats) {
			for (let k = 0; k < length; k++, at += 4) view.setFloat32(at, values[vertex * length + k], true);
		}
		if (colors !== undefined) for (let k = 0; k < 3; k++) view.setUint8(at++, colors[vertex * 3 + k]);
	}
	for (let i = 0; i < faces.length; i += 3) {
		view.setUint8(at++, 3);
		for (let k = 0; k < 3; k++, at += 4) view.setInt32(at, faces[i + k], true);
	}
	return file;
}

/** [v, 3] the texel in which each vertex lies. */
function vertexTexels({ width, height, data, uvs }: PlyPicture): Uint8Array {
	const colors = new Uint8Array((uvs.length / 2) * 3);
	for (let vertex = 0; vertex * 2 < uvs.length; vertex++) {
		const column = Math.min(Math.max(Math.floor(uvs[vertex * 2] * width), 0), width - 1);
		const row = Math.min(Math.max(Math.floor((1 - uvs[vertex * 2 + 1]) * height), 0), height - 1);
		for (let k = 0; k < 3; k++) colors[vertex * 3 + k] = data[(row * width + column) * 3 + k];
	}
	return colors;
}

import { type Document, type Node, type Primitive, WebIO } from "@gltf-transform/core";
import {
	EXTMeshoptCompression,
	EXTTextureWebP,
	KHRMaterialsUnlit,
	KHRMeshQuantization,
	KHRTextureTransform,
} from "@gltf-transform/extensions";
import { MeshoptDecoder } from "meshoptimizer";
import { SyncHumanError } from "../error.ts";
import type { DrawnMesh } from "./drawMesh.ts";

/** One piece of a glTF file as it is drawn. */
export interface GlbPart extends Omit<DrawnMesh, "texture"> {
	/** The base colour's picture file (PNG, JPEG or WebP), where there is one. */
	readonly picture?: Uint8Array | undefined;
}

/**
 * The triangles of a binary glTF's scene in our world (z up, from glTF's y up: (x, y, z) -> (x, -z, y)), nodes applied, base colours only.
 * Reads quantised and meshopt-compressed files. Throws code "input", beginning with `name`, for what is no GLB, needs another extension,
 * or has no triangles.
 */
export async function readGlb(bytes: Uint8Array, name: string): Promise<readonly GlbPart[]> {
	await MeshoptDecoder.ready;
	const io = new WebIO()
		.registerExtensions([EXTMeshoptCompression, EXTTextureWebP, KHRMaterialsUnlit, KHRMeshQuantization, KHRTextureTransform])
		.registerDependencies({ "meshopt.decoder": MeshoptDecoder });
	let document: Document;
	try {
		document = await io.readBinary(bytes);
	} catch (cause) {
		throw new SyncHumanError("input", `${name}: is not a GLB that can be read: ${(cause as Error).message}.`, "Give a whole .glb file.", {
			cause,
		});
	}
	const root = document.getRoot();
	const scene = root.getDefaultScene() ?? root.listScenes()[0];
	const parts: GlbPart[] = [];
	scene?.traverse((node) => {
		for (const primitive of node.getMesh()?.listPrimitives() ?? []) {
			const part = partOf(primitive, node, name);
			if (part !== undefined) parts.push(part);
		}
	});
	if (parts.length === 0) throw new SyncHumanError("input", `${name}: has no triangles.`, "Give a .glb with a mesh.");
	return parts;
}

/** A primitive of triangles; undefined for points and lines. */
function partOf(primitive: Primitive, node: Node, name: string): GlbPart | undefined {
	const position = primitive.getAttribute("POSITION");
	if (position === null || primitive.getMode() < 4) return undefined;
	const count = position.getCount();
	const faces = triangles(primitive, count);
	if (faces.length === 0) return undefined;
	const beyond = faces.findIndex((vertex) => vertex >= count);
	if (beyond >= 0) throw new SyncHumanError("input", `${name}: face ${Math.floor(beyond / 3)} names vertex ${faces[beyond]} of ${count}.`);
	const matrix = node.getWorldMatrix();
	const material = primitive.getMaterial();
	const [red, green, blue] = material?.getBaseColorFactor() ?? [1, 1, 1];
	const values = (attribute: string, width: number): Float32Array | undefined => {
		const accessor = primitive.getAttribute(attribute);
		if (accessor === null || accessor.getCount() !== count) return undefined;
		const all = new Float32Array(count * width);
		const element: number[] = [];
		for (let i = 0; i < count; i++) all.set(accessor.getElement(i, element).slice(0, width), i * width);
		return all;
	};
	const colors = values("COLOR_0", 3);
	const uvs = values("TEXCOORD_0", 2);
	return {
		positions: turned(values("POSITION", 3) ?? new Float32Array(0), matrix, 1),
		normals: turnedNormals(values("NORMAL", 3), matrix),
		faces,
		uvs: uvs?.map((value, i) => (i % 2 === 0 ? value : 1 - value)),
		colors: colors?.map(linearToSrgb),
		factor: [red, green, blue],
		picture: uvs && (material?.getBaseColorTexture()?.getImage() ?? undefined),
	};
}

/** [f, 3] of a primitive of triangles (4), a strip (5) or a fan (6). */
function triangles(primitive: Primitive, count: number): Uint32Array {
	const given = primitive.getIndices()?.getArray();
	const list = given ? Uint32Array.from(given) : Uint32Array.from({ length: count }, (_, i) => i);
	const mode = primitive.getMode();
	if (mode === 4) return list.subarray(0, list.length - (list.length % 3));
	return Uint32Array.from({ length: Math.max(0, list.length - 2) * 3 }, (_, i) => {
		const [face, corner] = [Math.floor(i / 3), i % 3];
		if (mode === 6) return list[corner === 0 ? 0 : face + corner];
		return list[face + (corner === 0 ? 0 : face % 2 === 0 ? corner : 3 - corner)];
	});
}

/** Points (`translated` 1) or directions (0) through a column-major matrix, y up to z up. */
function turned(vectors: Float32Array, m: readonly number[], translated: 0 | 1): Float32Array {
	const result = new Float32Array(vectors.length);
	for (let i = 0; i < vectors.length; i += 3) {
		const at = (row: number) => m[row] * vectors[i] + m[4 + row] * vectors[i + 1] + m[8 + row] * vectors[i + 2] + translated * m[12 + row];
		result.set([at(0), 0 - at(2), at(1)], i);
	}
	return result;
}

/** Normals through the inverse transpose of the matrix' linear part (its cofactors, up to a factor), y up to z up, unit length. */
function turnedNormals(normals: Float32Array | undefined, m: readonly number[]): Float32Array | undefined {
	if (normals === undefined) return undefined;
	const cofactor = (row: number, column: number) => {
		const [r1, r2] = [(row + 1) % 3, (row + 2) % 3];
		const [c1, c2] = [(column + 1) % 3, (column + 2) % 3];
		return m[c1 * 4 + r1] * m[c2 * 4 + r2] - m[c2 * 4 + r1] * m[c1 * 4 + r2];
	};
	const inverse = [0, 1, 2, 3].flatMap((column) => [0, 1, 2, 3].map((row) => (row < 3 && column < 3 ? cofactor(row, column) : 0)));
	const result = turned(normals, inverse, 0);
	for (let i = 0; i < result.length; i += 3) {
		const length = Math.hypot(result[i], result[i + 1], result[i + 2]);
		for (let k = 0; k < 3; k++) result[i + k] = length > 0 ? result[i + k] / length : k === 2 ? 1 : 0;
	}
	return result;
}

/** sRGB's transfer function, the inverse of `srgbToLinear`; 0..1. */
function linearToSrgb(value: number): number {
	const bounded = Math.min(Math.max(value, 0), 1);
	return bounded <= 0.0031308 ? bounded * 12.92 : 1.055 * bounded ** (1 / 2.4) - 0.055;
}

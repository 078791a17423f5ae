import { type Accessor, Document, WebIO } from "@gltf-transform/core";
import { EXTTextureWebP, KHRMaterialsUnlit } from "@gltf-transform/extensions";
import { SyncHumanError } from "../error.ts";
import { compressGlb } from "./compressGlb.ts";
import type { Mesh } from "./mesh.ts";
import { vertexNormals } from "./vertexNormals.ts";

/** What goes into a GLB besides the mesh. */
export interface GlbOptions {
	/** Written as asset.extras: how the file was made (seed, weights). JSON values. */
	readonly extras?: Readonly<Record<string, unknown>>;
	/** Colours as a picture, in place of vertex colours. */
	readonly texture?: GlbTexture | undefined;
	/** Whether colours are shown as they are (KHR_materials_unlit). */
	readonly unlit?: boolean | undefined;
	/** Factor of all positions. */
	readonly scale?: number | undefined;
	/** Quantised and compressed (KHR_mesh_quantization, EXT_meshopt_compression). */
	readonly compress?: boolean | undefined;
}

/** A picture on a mesh. */
export interface GlbTexture {
	/** A PNG or WebP file: sRGB colours, row 0 at v = 1. */
	readonly file: Uint8Array;
	/** [v, 2] of the mesh's vertices; v runs up. */
	readonly uvs: Float32Array;
	/** [v, 3] unit normals, which go on over the seams of the charts. */
	readonly normals: Float32Array;
	/** A PNG or WebP file of normals in tangent space, and the tangents [v, 4] (z up) it is meant with. */
	readonly normalMap?: { readonly file: Uint8Array; readonly tangents: Float32Array } | undefined;
}

/**
 * A binary glTF of one mesh, the same bytes for the same input: positions, unit normals, a texture or else vertex colours where the mesh
 * has them, one opaque single-sided material (as upstream's; metallic 0 and roughness 1). Axes are turned from z up to glTF's y up, the person faces
 * +z: (x, y, z) -> (x, z, -y), upstream postprocessing_utils.to_glb. Faces that name a vertex twice and vertices without a face are
 * left out. Throws code "input" for a mesh without faces, with an index that has no vertex, or with a value that is not finite.
 *
 * Departs from upstream: the metallic factor is written, since glTF's default makes the surface metal.
 */
export async function writeGlb(source: Mesh, options: GlbOptions = {}): Promise<Uint8Array> {
	const { mesh, vertices } = usedPart(source);
	const { texture } = options;
	if (texture !== undefined) checkTexture(texture, source.positions.length / 3);
	const rows = (values: Float32Array, width: number) =>
		Float32Array.from({ length: vertices.length * width }, (_, i) => values[vertices[Math.floor(i / width)] * width + (i % width)]);
	const count = mesh.positions.length / 3;
	const document = new Document();
	const asset = document.getRoot().getAsset();
	asset.generator = "synchuman-webgpu";
	if (options.extras !== undefined) asset.extras = { ...options.extras };
	const buffer = document.createBuffer();
	const material = document.createMaterial("body").setBaseColorFactor([1, 1, 1, 1]).setMetallicFactor(0).setRoughnessFactor(1);
	const attribute = (values: Float32Array | Uint16Array, type: "VEC2" | "VEC3" | "VEC4" = "VEC3"): Accessor =>
		document.createAccessor().setType(type).setArray(values).setBuffer(buffer);
	const picture = (name: string, file: Uint8Array) => {
		const isWebp = file[0] === 0x52; // RIFF
		if (isWebp) document.createExtension(EXTTextureWebP).setRequired(true);
		return document
			.createTexture(name)
			.setImage(file)
			.setMimeType(isWebp ? "image/webp" : "image/png");
	};
	const normals = texture === undefined ? vertexNormals(mesh) : rows(texture.normals, 3);
	const { scale = 1 } = options;
	const primitive = document
		.createPrimitive()
		.setMaterial(material)
		.setIndices(
			document
				.createAccessor()
				.setType("SCALAR")
				.setArray(count <= 0xffff ? Uint16Array.from(mesh.faces) : mesh.faces)
				.setBuffer(buffer),
		)
		.setAttribute("POSITION", attribute(yUp(scale === 1 ? mesh.positions : mesh.positions.map((value) => value * scale))))
		.setAttribute("NORMAL", attribute(yUp(normals)));
	if (texture !== undefined) {
		const uvs = rows(texture.uvs, 2).map((value, i) => (i % 2 === 0 ? value : 1 - value)); // glTF's v runs down
		primitive.setAttribute("TEXCOORD_0", attribute(uvs, "VEC2"));
		material.setBaseColorTexture(picture("body", texture.file));
		if (texture.normalMap !== undefined) {
			primitive.setAttribute("TANGENT", attribute(yUp(rows(texture.normalMap.tangents, 4), 4), "VEC4"));
			material.setNormalTexture(picture("normals", texture.normalMap.file));
		}
	} else if (mesh.colors !== undefined) {
		primitive.setAttribute(
			"COLOR_0",
			attribute(Uint16Array.from(mesh.colors, (value) => Math.round(srgbToLinear(value) * 65535))).setNormalized(true),
		);
	}
	if (options.unlit) material.setExtension("KHR_materials_unlit", document.createExtension(KHRMaterialsUnlit).createUnlit());
	const node = document.createNode("body").setMesh(document.createMesh("body").addPrimitive(primitive));
	document.getRoot().setDefaultScene(document.createScene().addChild(node));
	if (options.compress) return compressGlb(document);
	return new WebIO().registerExtensions([EXTTextureWebP, KHRMaterialsUnlit]).writeBinary(document);
}

/** sRGB's transfer function (IEC 61966-2-1): 0..1 as stored to 0..1 linear, the space of glTF vertex colours. Clamps. */
export function srgbToLinear(value: number): number {
	const bounded = Math.min(Math.max(value, 0), 1);
	return bounded <= 0.04045 ? bounded / 12.92 : ((bounded + 0.055) / 1.055) ** 2.4;
}

/** Rows of `width` whose first three are x, y, z: (x, y, z) -> (x, z, -y). */
export function yUp(vectors: Float32Array, width = 3): Float32Array {
	const turned = vectors.slice();
	for (let i = 0; i < vectors.length; i += width) {
		turned[i + 1] = vectors[i + 2];
		turned[i + 2] = 0 - vectors[i + 1]; // no negative zero
	}
	return turned;
}

function checkTexture({ uvs, normals, normalMap }: GlbTexture, count: number): void {
	const arrays: (readonly [string, Float32Array, number])[] = [
		["uvs", uvs, 2],
		["normals", normals, 3],
	];
	if (normalMap !== undefined) arrays.push(["tangents", normalMap.tangents, 4]);
	for (const [name, values, width] of arrays) {
		if (values.length !== count * width || !values.every(Number.isFinite)) {
			throw new SyncHumanError("input", `writeGlb: ${name} must be ${count} x ${width} finite values, got ${values.length}`);
		}
	}
}

/** Checks the mesh and keeps faces with three different vertices, and the vertices of those, in their order. */
function usedPart({ positions, faces, colors }: Mesh): { readonly mesh: Mesh; readonly vertices: Uint32Array } {
	const count = positions.length / 3;
	const bad = positions.findIndex((value) => !Number.isFinite(value));
	if (bad >= 0) throw new SyncHumanError("input", `writeGlb: positions[${Math.floor(bad / 3)}] is not finite`);
	if (colors !== undefined && (colors.length !== positions.length || !colors.every(Number.isFinite))) {
		throw new SyncHumanError("input", `writeGlb: colors must be ${count} x 3 finite values, got ${colors.length}`);
	}
	const kept: number[] = [];
	const newIndex = new Uint32Array(count);
	for (let i = 0; i < faces.length; i += 3) {
		const [a, b, c] = faces.subarray(i, i + 3);
		if (a >= count || b >= count || c >= count) throw new SyncHumanError("input", `writeGlb: face ${i / 3} names a vertex beyond ${count}`);
		if (a === b || b === c || c === a) continue;
		kept.push(a, b, c);
		newIndex[a] = newIndex[b] = newIndex[c] = 1;
	}
	if (kept.length === 0)
		throw new SyncHumanError("input", "writeGlb: the mesh has no faces", "The surface is empty: try another seed or picture.");
	const used = Uint32Array.from(newIndex.keys()).filter((vertex) => newIndex[vertex] === 1);
	used.forEach((vertex, index) => {
		newIndex[vertex] = index;
	});
	const pick = (values: Float32Array) =>
		Float32Array.from({ length: used.length * 3 }, (_, i) => values[used[Math.floor(i / 3)] * 3 + (i % 3)]);
	const mesh = { positions: pick(positions), faces: Uint32Array.from(kept, (vertex) => newIndex[vertex]), colors: colors && pick(colors) };
	return { mesh, vertices: used };
}

import { type Document, Logger, WebIO } from "@gltf-transform/core";
import { EXTMeshoptCompression, EXTTextureWebP, KHRMaterialsUnlit, KHRMeshQuantization } from "@gltf-transform/extensions";
import { meshopt } from "@gltf-transform/functions";
import { MeshoptEncoder } from "meshoptimizer";

/**
 * The document as a binary glTF with positions of 14 bits, texture coordinates of 14 and normals of 10, compressed (KHR_mesh_quantization,
 * EXT_meshopt_compression). Vertices and faces come in another order. The same bytes every time.
 */
export async function compressGlb(document: Document): Promise<Uint8Array> {
	await MeshoptEncoder.ready;
	document.setLogger(new Logger(Logger.Verbosity.ERROR)); // it would tell its steps on standard output
	await document.transform(
		meshopt({ encoder: MeshoptEncoder, level: "medium", quantizePosition: 14, quantizeTexcoord: 14, quantizeNormal: 10 }),
	);
	return new WebIO()
		.registerExtensions([EXTMeshoptCompression, EXTTextureWebP, KHRMaterialsUnlit, KHRMeshQuantization])
		.registerDependencies({ "meshopt.encoder": MeshoptEncoder })
		.writeBinary(document);
}

import { torchTensorBytes, writeTorchCheckpoint } from "../../weights/writeTorchZip.ts";
import { randomSource } from "./randomSource.ts";
import { storedFromFloat32 } from "./storedFromFloat32.ts";

/** Small files in the layout of SyncHuman's weights, by name: the same bytes every time. */
export async function hubFiles(): Promise<Map<string, Uint8Array>> {
	const random = randomSource(7);
	const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
	const tensor = (seed: number) =>
		storedFromFloat32(
			Float32Array.from({ length: 300 }, (_, i) => i * seed),
			[3, 100],
			"F16",
		);
	const chunks: Uint8Array[] = [];
	for await (const chunk of writeTorchCheckpoint("dino", [{ name: "w", dtype: "F32", shape: [500] }], () => bytes(2000)))
		chunks.push(chunk);
	return new Map([
		["OneStage/pipeline_config.json", new TextEncoder().encode('{"num_views": 5}')],
		["OneStage/vae/config.json", bytes(333)],
		["OneStage/vae/diffusion_pytorch_model.safetensors", bytes(70_000)],
		["SecondStage/pipeline.json", new TextEncoder().encode("{}")],
		["SecondStage/ckpts/slat_flow/model.safetensors", bytes(30_001)],
		["README.md", bytes(10)],
		["dinov2_vitl14_reg4_pretrain.pth", Buffer.concat(chunks)],
		["clr_embeds.pt", torchTensorBytes("clr_embeds", tensor(1))],
		["normal_embeds.pt", torchTensorBytes("normal_embeds", tensor(-1))],
	]);
}

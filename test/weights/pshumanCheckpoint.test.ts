import { describe, expect, it } from "vitest";
import { openPshumanCheckpoint } from "../../weights/pshumanCheckpoint.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { syntheticPshuman } from "../../weights/syntheticPshuman.ts";
import { torchTensorBytes } from "../../weights/writeTorchZip.ts";
import { expectDamaged, memoryFolder } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const weights = (value: number) => safetensorsBytes(new Map([["w", storedFromFloat32(Float32Array.of(value), [1])]]));
const embeds = (value: number) => torchTensorBytes("embeds", storedFromFloat32(Float32Array.of(value), [1, 1, 1], "F16"));

const files = (): Record<string, Uint8Array | string> => ({
	"model_index.json": '{"num_views": 7, "scheduler": ["diffusers", "DDIMScheduler"]}',
	"unet/config.json": '{"num_views": 7}',
	"unet/diffusion_pytorch_model.safetensors": weights(1),
	"image_encoder/model.safetensors": weights(2),
	"image_normalizer/diffusion_pytorch_model.safetensors": weights(3),
	"scheduler/scheduler_config.json": '{"_class_name": "PNDMScheduler", "steps_offset": 1}',
	"image_noising_scheduler/scheduler_config.json": '{"_class_name": "DDPMScheduler"}',
	"feature_extractor/preprocessor_config.json": '{"size": {"shortest_edge": 224}}',
	"fixed_prompt_embeds_7view/normal_embeds.pt": embeds(4),
	"clr_embeds.pt": embeds(5),
});

describe("openPshumanCheckpoint", () => {
	it("finds networks, configs, schedulers and prompt embeddings where diffusers and the code repository have them", async () => {
		const checkpoint = await openPshumanCheckpoint(memoryFolder("PSHuman", files()));
		expect((await checkpoint.config("unet")).integer("num_views")).toBe(7);
		expect((await checkpoint.config("feature_extractor")).object("size").integer("shortest_edge")).toBe(224);
		for (const [component, value] of [
			["unet", 1],
			["image_encoder", 2],
			["image_normalizer", 3],
		] as const) {
			expect([...toFloat32(await (await checkpoint.tensors(component)).read("w", [1]))]).toEqual([value]);
		}
		expect([...toFloat32(await checkpoint.promptEmbeds("normal")), ...toFloat32(await checkpoint.promptEmbeds("color"))]).toEqual([4, 5]);
	});

	it("takes a scheduler's class from the index, as upstream does", async () => {
		const checkpoint = await openPshumanCheckpoint(memoryFolder("PSHuman", files()));
		expect((await checkpoint.scheduler("scheduler")).json).toEqual({ _class_name: "DDIMScheduler", steps_offset: 1 });
		expect((await checkpoint.scheduler("image_noising_scheduler")).json).toEqual({ _class_name: "DDPMScheduler" });
	});

	it("names what is missing, and where", async () => {
		const without = async (name: string) => {
			const { [name]: _, ...others } = files();
			return openPshumanCheckpoint(memoryFolder("PSHuman", others));
		};
		await expectDamaged(() => without("model_index.json"), /is not a PSHuman checkpoint: model_index.json is not there/, "PSHuman");
		await expectDamaged(async () => (await without("unet/config.json")).config("unet"), /is missing/, "PSHuman/unet/config.json");
		await expectDamaged(async () => (await without("clr_embeds.pt")).promptEmbeds("color"), /is missing/, "PSHuman/clr_embeds.pt");
		await expectDamaged(
			async () => (await openPshumanCheckpoint(memoryFolder("PSHuman", files()))).tensors("vae"),
			/is missing/,
			"PSHuman/vae/model.safetensors",
		);
	});
});

describe("syntheticPshuman", () => {
	it("has seven views, no structure half, and statistics that can be divided by", async () => {
		const checkpoint = syntheticPshuman("tiny");
		const unet = await checkpoint.config("unet");
		expect([unet.integer("num_views"), unet.integer("sample_size"), unet.has("num_blocks")]).toEqual([7, 24, false]);
		expect((await checkpoint.promptEmbeds("normal")).shape).toEqual([7, 77, 16]);
		const deviation = toFloat32(await (await checkpoint.tensors("image_normalizer")).read("std", [1, 16]));
		expect(Math.min(...deviation)).toBeGreaterThan(0.5);
		expect((await syntheticPshuman("full").config("unet")).integer("sample_size")).toBe(96);
	});
});

import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../weights/checkpointFolder.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { torchTensorBytes, writeTorchCheckpoint } from "../../weights/writeTorchZip.ts";
import { expectDamaged, memoryFolder } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const weights = (value: number) => safetensorsBytes(new Map([["w", storedFromFloat32(Float32Array.of(value), [1])]]));
const index = JSON.stringify({ weight_map: { w: "model-00001-of-00001.safetensors" } });
const embeds = (value: number) => torchTensorBytes("embeds", storedFromFloat32(Float32Array.of(value), [1, 1, 1], "F16"));

async function dinov2(): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of writeTorchCheckpoint("dino", [{ name: "w", dtype: "F32", shape: [1] }], () => Uint8Array.of(0, 0, 0xc0, 0x40)))
		chunks.push(chunk);
	return Buffer.concat(chunks);
}

const names = [
	"feature_extractor",
	"image_encoder",
	"text_encoder",
	"SyncHuman_2D3DCrossSpaceDiffusion",
	"vae",
	"sparse_structure_decoder",
];
const pipelineConfig = (subdirs: Readonly<Record<string, string>> = {}) =>
	JSON.stringify({
		num_views: 5,
		metadata: Object.fromEntries(names.map((name) => [name, { class: "a.b", subdir: subdirs[name] ?? name }])),
	});

async function files(ckpts = ""): Promise<Record<string, Uint8Array | string>> {
	const one = `${ckpts}OneStage/`;
	const two = `${ckpts}SecondStage/`;
	return {
		[`${one}pipeline_config.json`]: pipelineConfig(),
		[`${one}feature_extractor/preprocessor_config.json`]: '{"size": {"shortest_edge": 224}}',
		[`${one}image_encoder/config.json`]: '{"hidden_size": 48}',
		[`${one}image_encoder/model.safetensors`]: weights(1),
		[`${one}vae/config.json`]: '{"latent_channels": 4}',
		[`${one}vae/diffusion_pytorch_model.safetensors`]: weights(2),
		[`${one}SyncHuman_2D3DCrossSpaceDiffusion/config.json`]: '{"num_blocks": 18}',
		[`${one}SyncHuman_2D3DCrossSpaceDiffusion/diffusion_pytorch_model.safetensors.index.json`]: index,
		[`${one}SyncHuman_2D3DCrossSpaceDiffusion/model-00001-of-00001.safetensors`]: weights(3),
		[`${one}sparse_structure_decoder/config.json`]: '\n{"name": "SparseStructureDecoder", "args": {"channels": [32, 16, 8]}}',
		[`${one}sparse_structure_decoder/model.safetensors`]: weights(4),
		[`${two}pipeline.json`]: JSON.stringify({
			name: "SyncHumanTwoStagePipeline",
			args: {
				models: { slat_flow_model: "ckpts/slat_flow", slat_decoder_gs: "ckpts/decoder_GS", slat_decoder_mesh: "ckpts/decoder_Mesh" },
				slat_sampler: { params: { steps: 25 } },
			},
		}),
		[`${two}ckpts/slat_flow/config.json`]: '{"name": "SLatFlowModel", "args": {"num_blocks": 2}}',
		[`${two}ckpts/slat_flow/model.safetensors`]: weights(5),
		[`${two}ckpts/decoder_GS/config.json`]: '{"name": "SLatMeshDecoder", "args": {}}',
		"dinov2_vitl14_reg4_pretrain.pth": await dinov2(),
		"clr_embeds.pt": embeds(1),
		"normal_embeds.pt": embeds(-1),
	};
}

const open = async (change: Readonly<Record<string, Uint8Array | string | undefined>> = {}) => {
	const present = Object.entries({ ...(await files()), ...change }).filter(
		(entry): entry is [string, Uint8Array | string] => entry[1] !== undefined,
	);
	return openCheckpoint(memoryFolder("made.file", Object.fromEntries(present)));
};

describe("openCheckpoint", () => {
	test.each(["", "ckpts/"])("reads the official layout, stages in %j", async (ckpts) => {
		const checkpoint = await openCheckpoint(memoryFolder("weights", await files(ckpts)));
		expect((await checkpoint.oneStage()).integer("num_views")).toBe(5);
		expect((await checkpoint.secondStage()).object("slat_sampler").object("params").integer("steps")).toBe(25);
		expect((await checkpoint.featureExtractor()).object("size").integer("shortest_edge")).toBe(224);
		expect((await checkpoint.config("vae")).integer("latent_channels")).toBe(4);
		expect((await checkpoint.config("sparse_structure_decoder")).integers("channels")).toEqual([32, 16, 8]);
		expect((await checkpoint.config("slat_flow_model")).integer("num_blocks")).toBe(2);
		const components = [
			"image_encoder",
			"vae",
			"SyncHuman_2D3DCrossSpaceDiffusion",
			"sparse_structure_decoder",
			"slat_flow_model",
			"dinov2",
		] as const;
		for (const [position, component] of components.entries()) {
			const tensors = await checkpoint.tensors(component);
			expect(toFloat32(await tensors.read("w", [1]))[0]).toBe(position + 1);
		}
		expect((await checkpoint.tensors("vae")).name).toBe(`weights/${ckpts}OneStage/vae/diffusion_pytorch_model.safetensors`);
		expect(toFloat32(await checkpoint.promptEmbeds("color"))[0]).toBe(1);
		expect(toFloat32(await checkpoint.promptEmbeds("normal"))[0]).toBe(-1);
	});

	test("engine.json is optional", async () => {
		expect((await (await open()).engine()).integer("dinoHeads", { fallback: 16 })).toBe(16);
		const checkpoint = await open({ "OneStage/engine.json": '{"dinoHeads": 2}' });
		expect((await checkpoint.engine()).integer("dinoHeads", { fallback: 16 })).toBe(2);
	});

	test.each(["SyncHuman/data/fixed_prompt_embeds_7view/", "fixed_prompt_embeds_7view/"])("finds prompt embeddings in %s", async (place) => {
		const checkpoint = await open({ "clr_embeds.pt": undefined, [`${place}clr_embeds.pt`]: embeds(3) });
		expect(toFloat32(await checkpoint.promptEmbeds("color"))[0]).toBe(3);
	});

	test("finds DINOv2 in its own folder, and components in the folder that the config names", async () => {
		const moved = await open({ "dinov2_vitl14_reg4_pretrain.pth": undefined, "dinov2/dinov2_vitl14_reg4_pretrain.pth": await dinov2() });
		expect((await moved.tensors("dinov2")).entries?.size).toBe(1);
		const renamed = await open({
			"OneStage/pipeline_config.json": pipelineConfig({ vae: "other/vae" }),
			"OneStage/other/vae/model.safetensors": weights(9),
		});
		expect(toFloat32(await (await renamed.tensors("vae")).read("w", [1]))[0]).toBe(9);
	});

	test("one stage without the other", async () => {
		const first = await open({ "SecondStage/pipeline.json": undefined });
		expect((await first.config("vae")).integer("latent_channels")).toBe(4);
		await expectDamaged(() => first.secondStage(), /SecondStage\/pipeline.json: is missing \(also looked for at ckpts\/SecondStage/);
		await expectDamaged(() => first.tensors("slat_flow_model"), /SecondStage\/pipeline.json: is missing/);
		const second = await open({ "OneStage/pipeline_config.json": undefined });
		await expectDamaged(() => second.config("vae"), /OneStage\/pipeline_config.json: is missing/);
		await expectDamaged(() => openCheckpoint(memoryFolder("made.file", {})), /made.file: is not a SyncHuman checkpoint/);
	});

	type Change = Readonly<Record<string, Uint8Array | string | undefined>>;
	type Use = (checkpoint: Awaited<ReturnType<typeof open>>) => Promise<unknown>;
	test.each<[string, Change, Use, RegExp]>([
		["a missing config", { "OneStage/vae/config.json": undefined }, (c) => c.config("vae"), /OneStage\/vae\/config.json: is missing/],
		[
			"missing weights",
			{ "OneStage/vae/diffusion_pytorch_model.safetensors": undefined, "OneStage/vae/diffusion_pytorch_model.bin": "x" },
			(c) => c.tensors("vae"),
			/vae\/model.safetensors: is missing, and so is diffusion_pytorch_model.safetensors \(the folder holds config.json, diffusion_pytorch_model.bin\)/,
		],
		[
			"missing embeddings",
			{ "clr_embeds.pt": undefined },
			(c) => c.promptEmbeds("color"),
			/clr_embeds.pt: is missing \(also looked for at SyncHuman/,
		],
		[
			"a missing .pth",
			{ "dinov2_vitl14_reg4_pretrain.pth": undefined },
			(c) => c.tensors("dinov2"),
			/dinov2_vitl14_reg4_pretrain.pth: is missing/,
		],
		["a missing model", {}, (c) => c.tensors("slat_decoder_mesh"), /SecondStage\/ckpts\/decoder_Mesh\/model.safetensors: is missing/],
		["another class", {}, (c) => c.config("slat_decoder_gs"), /name must be one of SLatGaussianDecoder, got "SLatMeshDecoder"/],
		[
			"a path out of the folder",
			{ "OneStage/pipeline_config.json": pipelineConfig({ vae: "../../x" }) },
			(c) => c.config("vae"),
			/vae.subdir must be a folder inside/,
		],
		[
			"an absolute path",
			{ "OneStage/pipeline_config.json": pipelineConfig({ vae: "/etc" }) },
			(c) => c.config("vae"),
			/vae.subdir must be a folder inside/,
		],
		["no metadata", { "OneStage/pipeline_config.json": "{}" }, (c) => c.config("vae"), /metadata is missing/],
		["a cut config", { "OneStage/vae/config.json": '{"latent_channels": ' }, (c) => c.config("vae"), /vae\/config.json: is not valid JSON/],
		["a list as config", { "OneStage/vae/config.json": "[]" }, (c) => c.config("vae"), /is not a JSON object/],
		["a config of 2 MB", { "OneStage/vae/config.json": " ".repeat(2 ** 21) }, (c) => c.config("vae"), /has 2097152 bytes/],
	])("names the file: %s", async (_, change, use, problem) => {
		const checkpoint = await open(change);
		await expectDamaged(() => use(checkpoint), problem);
	});
});

import { describe, expect, it } from "vitest";
import { u2netConvolutions } from "../../engine/models/u2net.ts";
import { openU2netWeights, type U2netWeights } from "../../engine/models/u2netWeights.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import type { StoredTensor } from "../../weights/source.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { writeTorchCheckpoint } from "../../weights/writeTorchZip.ts";
import { nmse } from "../support/gpu.ts";
import { expectDamaged } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { tinyU2net, u2netOnnx } from "../support/u2netFiles.ts";

const state = tinyU2net();
const open = (bytes: Uint8Array) => openU2netWeights(memoryByteSource("made.file", bytes));

async function allOf({ tensors }: U2netWeights): Promise<Map<string, StoredTensor>> {
	const read = new Map<string, StoredTensor>();
	for (const [name, { shape }] of tensors.entries ?? []) read.set(name, await tensors.read(name, shape));
	return read;
}

async function torchFile(): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	const described = [...state].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
	for await (const chunk of writeTorchCheckpoint("u2net", described, ({ name }) => (state.get(name) as StoredTensor).bytes))
		chunks.push(chunk);
	return new Uint8Array(Buffer.concat(chunks));
}

const bytesOf = (tensors: ReadonlyMap<string, StoredTensor>) =>
	[...tensors].sort().map(([name, { bytes }]) => [name, Buffer.from(bytes).toString("hex")]);

describe("openU2netWeights", () => {
	it("folds the norms: w g / sqrt(variance + eps), (b - mean) g / sqrt(variance + eps) + offset", async () => {
		const folded = await allOf(await open(safetensorsBytes(state)));
		expect(folded.size).toBe(2 * u2netConvolutions().length);
		const values = (name: string) => toFloat32(state.get(name) as StoredTensor);
		const [name, norm] = ["stage3.rebnconv2d.conv_s1", "stage3.rebnconv2d.bn_s1"];
		const factor = values(`${norm}.running_var`).map((variance, i) => values(`${norm}.weight`)[i] / Math.sqrt(variance + 1e-5));
		const weight = values(`${name}.weight`);
		expect(
			nmse(
				toFloat32(folded.get(`${name}.weight`) as StoredTensor),
				weight.map((v, i) => v * factor[Math.floor((i / weight.length) * factor.length)]),
			),
		).toBeLessThan(1e-13);
		const bias = values(`${name}.bias`).map((b, i) => (b - values(`${norm}.running_mean`)[i]) * factor[i] + values(`${norm}.bias`)[i]);
		expect(nmse(toFloat32(folded.get(`${name}.bias`) as StoredTensor), bias)).toBeLessThan(1e-13);
		expect(folded.get("side1.weight")?.bytes).toEqual(state.get("side1.weight")?.bytes);
	});

	it("reads the same from safetensors, .pth and ONNX, however the names are and wherever the numbers lie", async () => {
		const expected = await open(safetensorsBytes(state));
		const folded = await allOf(expected);
		const files = [
			await torchFile(),
			u2netOnnx(state),
			u2netOnnx(state, { numbers: true, place: "floats" }),
			u2netOnnx(state, { place: "constants", coordinates: "half_pixel" }),
			u2netOnnx(folded, { folded: true, numbers: true, opset: 17 }),
		];
		for (const file of files) {
			const opened = await open(file);
			expect(opened.config).toEqual(expected.config);
			expect(bytesOf(await allOf(opened))).toEqual(bytesOf(folded));
		}
		expect(expected.config).toMatchObject({
			upsampling: "bilinear",
			stages: { stage1: { inChannels: 3, midChannels: 2, outChannels: 4 } },
		});
	});

	it("takes the places of pixels as the file has them", async () => {
		const upsampling = async (opset: number, coordinates: string) =>
			(await open(u2netOnnx(state, { opset, coordinates }))).config.upsampling;
		expect(await upsampling(9, "")).toBe("bilinearAsymmetric");
		expect(await upsampling(10, "")).toBe("bilinearAsymmetric");
		expect(await upsampling(11, "asymmetric")).toBe("bilinearAsymmetric");
		expect(await upsampling(13, "align_corners")).toBe("bilinearCorners");
		await expectDamaged(() => upsampling(13, "tf_crop_and_resize"), /coordinate modes \["tf_crop_and_resize"\]/);
	});

	it("refuses other networks", async () => {
		await expectDamaged(() => open(u2netOnnx(state, { missing: 2 })), /has 117 convolutions; U2NET has 119/);
		await expectDamaged(() => open(u2netOnnx(state, { dilation: 1 })), /its convolution 7, "stage1.rebnconv7.conv_s1_out", is not U2NET's/);
		await expectDamaged(
			() => open(safetensorsBytes(new Map([["a.weight", { dtype: "F32", shape: [1], bytes: new Uint8Array(4) }]]))),
			/belong to no convolution/,
		);
		await expectDamaged(() => open(new Uint8Array(0)), /is not an ONNX file/);
		const less = new Map([...state].filter(([name]) => !name.startsWith("stage4d")));
		await expectDamaged(() => open(safetensorsBytes(less)), /is no U2NET: it has no convolution stage4d.rebnconvin/);
		const misshapen = new Map([...state, ["side1.bias", { dtype: "F32", shape: [2], bytes: new Uint8Array(8) } as StoredTensor]]);
		await expectDamaged(() => open(safetensorsBytes(misshapen)), /"side1" must be \[1\], got \[2\]/);
	});
});

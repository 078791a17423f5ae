import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyWeights } from "../../../runners/download/verify.ts";
import { hashFile } from "../../../runners/hashFile.ts";
import { synthesizePshuman } from "../../../runners/synthesizePshuman.ts";
import { storedFromFloat32 } from "../../support/storedFromFloat32.ts";
import { tinyU2net, u2netOnnx } from "../../support/u2netFiles.ts";

// PSHuman's folders and U^2-Net's files; SyncHuman's are in convert.test.ts and cli.test.ts.

let root: string;
const at = (...names: string[]) => join(root, ...names);
beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "verify-"));
	await synthesizePshuman("tiny", at("pshuman"));
});
afterAll(() => rmSync(root, { recursive: true }));

const verified = (path: string) => verifyWeights(path, () => undefined);

/** A weights folder with U^2-Net's file and what `spoil` makes of it. */
function withU2net(name: string, bytes: Uint8Array): string {
	mkdirSync(at(name), { recursive: true });
	writeFileSync(at(name, "u2net.onnx"), bytes);
	return at(name);
}

describe("verify of U^2-Net", () => {
	it("walks the graph, reads every tensor, as a file or in a folder", async () => {
		const folder = withU2net("remover", u2netOnnx(tinyU2net()));
		expect(await verified(folder)).toEqual({ networks: ["u2net.onnx"], hashed: 0, locked: false });
		expect((await verified(at("remover", "u2net.onnx"))).networks).toEqual(["u2net.onnx"]);
	});

	it("says what is wrong with a file", async () => {
		const state = tinyU2net();
		const weight = state.get("stage3.rebnconv2.conv_s1.weight");
		if (weight === undefined) throw new Error("no such convolution");
		const values = new Float32Array(weight.bytes.slice().buffer);
		values[7] = Number.NaN;
		const wide = storedFromFloat32(new Float32Array(3 * 2 * 9), [3, 2, 3, 3]);
		const narrow = (name: string) => storedFromFloat32(new Float32Array(3).fill(name.endsWith("var") ? 1 : 0), [3]);
		const misshapen = new Map(
			[...state].map(([name, tensor]) => (name.startsWith("stage3.rebnconv2.bn_s1") ? [name, narrow(name)] : [name, tensor])),
		);
		misshapen.set("stage3.rebnconv2.conv_s1.weight", wide).set("stage3.rebnconv2.conv_s1.bias", narrow(""));
		const cases: [string, Uint8Array, RegExp][] = [
			["cut", u2netOnnx(state).slice(0, 20_000), /u2net\.onnx: /],
			["short", u2netOnnx(state, { missing: 3 }), /has 116 convolutions; U2NET has 119/],
			["dilated", u2netOnnx(state, { dilation: 3 }), /is none that U2NET has|is not U2NET's/],
			["nan", u2netOnnx(new Map(state).set("stage3.rebnconv2.conv_s1.weight", storedFromFloat32(values, weight.shape))), /is NaN$/],
			["wide", u2netOnnx(misshapen), /stage3\.rebnconv2\.conv_s1\.weight must be \[2, 2, 3, 3\], got \[3, 2, 3, 3\]/],
			["other", new TextEncoder().encode("a text that is no network at all"), /u2net\.onnx: /],
		];
		for (const [name, bytes, message] of cases) {
			await expect(verified(withU2net(name, bytes)), name).rejects.toMatchObject({
				code: "checkpoint",
				message: expect.stringMatching(message),
			});
		}
	});
});

describe("verify of PSHuman", () => {
	/** A copy in which one thing is wrong. */
	const spoiled = (name: string, spoil: (path: (file: string) => string) => void) => {
		cpSync(at("pshuman"), at(name), { recursive: true });
		spoil((file) => at(name, file));
		return at(name);
	};

	it("looks at every component, in a folder of its own or inside the weights folder, beside other networks", async () => {
		expect((await verified(at("pshuman"))).networks).toEqual(["PSHuman"]);
		cpSync(at("pshuman"), at("ckpts", "PSHuman_Unclip_768_6views"), { recursive: true });
		withU2net("ckpts", u2netOnnx(tinyU2net()));
		const files = ["u2net.onnx", "PSHuman_Unclip_768_6views/unet/config.json"];
		const lock: Record<string, unknown> = {};
		for (const name of files) lock[name] = await hashFile(at("ckpts", name));
		writeFileSync(at("ckpts", "synchuman.lock.json"), JSON.stringify({ files: lock }));
		expect(await verified(at("ckpts"))).toEqual({ networks: ["PSHuman", "u2net.onnx"], hashed: 2, locked: true });
	});

	it("names what is missing or does not fit", async () => {
		const unet = "unet/diffusion_pytorch_model.safetensors";
		const edit = (file: string, from: string, to: string) => {
			const text = readFileSync(file, "latin1");
			expect(text).toContain(from);
			writeFileSync(file, text.replace(from, to), "latin1");
		};
		const cases: [string, (path: (file: string) => string) => void, RegExp][] = [
			["no-unet", (path) => rmSync(path(unet)), /unet\/model\.safetensors: is missing/],
			["cut-unet", (path) => truncateSync(path(unet), 100_000), /ends inside tensor/],
			["no-normalizer", (path) => rmSync(path("image_normalizer"), { recursive: true }), /image_normalizer.*is missing/],
			[
				"normalizer",
				(path) => edit(path("image_normalizer/diffusion_pytorch_model.safetensors"), '"mean"', '"moan"'),
				/image_normalizer.*1 missing \(mean\); 1 not known to the model \(moan\)/,
			],
			["sampler", (path) => edit(path("model_index.json"), '"DDIMScheduler"', '"PNDMScheduler"'), /PNDMScheduler/],
			["no-prompts", (path) => rmSync(path("clr_embeds.pt")), /clr_embeds\.pt: is missing/],
		];
		for (const [name, spoil, message] of cases) {
			await expect(verified(spoiled(name, spoil)), name).rejects.toMatchObject({
				code: "checkpoint",
				message: expect.stringMatching(message),
			});
		}
	});

	it("a folder with nothing of all is none", async () => {
		mkdirSync(at("empty"));
		await expect(verified(at("empty"))).rejects.toMatchObject({
			code: "checkpoint",
			message: expect.stringContaining("is not a SyncHuman checkpoint"),
		});
	});
});

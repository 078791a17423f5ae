import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convertWeights } from "../../../runners/download/convert.ts";
import { verifyWeights } from "../../../runners/download/verify.ts";
import { directoryFolder } from "../../../runners/files.ts";
import { synthesize } from "../../../runners/synthesize.ts";
import { openSafetensors } from "../../../weights/safetensors.ts";
import { toFloat32 } from "../../../weights/storedTensor.ts";
import { writeSafetensors } from "../../../weights/writeSafetensors.ts";
import { storedFromFloat32 } from "../../support/storedFromFloat32.ts";

let root: string;
beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "convert-"));
	await synthesize("tiny", join(root, "ckpts"));
	// The synthetic files are in half precision already; the VAE's is made wide, as a release may be.
	await rewriteVae(join(root, "ckpts"), () => 1);
});
afterAll(() => rmSync(root, { recursive: true }));

const vae = "OneStage/vae/diffusion_pytorch_model.safetensors";
const options = { signal: new AbortController().signal, onFile: () => undefined };

async function tensorsOf(folder: string) {
	const source = await directoryFolder(folder).open(vae);
	if (source === undefined) throw new Error(`${vae} is missing`);
	return openSafetensors(source);
}

async function rewriteVae(folder: string, factor: (name: string) => number): Promise<void> {
	const source = await tensorsOf(folder);
	const wide = new Map(
		await Promise.all(
			[...(source.entries ?? [])].map(async ([name, { shape }]) => {
				const values = toFloat32(await source.read(name, shape)).map((value) => value * factor(name));
				return [name, storedFromFloat32(values, shape, "F32")] as const;
			}),
		),
	);
	const descriptions = [...wide].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
	const chunks: Uint8Array[] = [];
	for await (const chunk of writeSafetensors(descriptions, ({ name }) => wide.get(name)?.bytes ?? new Uint8Array(0))) chunks.push(chunk);
	writeFileSync(join(folder, vae), Buffer.concat(chunks));
}

describe("convert and verify", () => {
	test("halves what f16 rounds, keeps what stays in f32, and locks the copy", async () => {
		const [from, to] = [join(root, "ckpts"), join(root, "half")];
		await convertWeights(from, to, options);
		const { entries } = await tensorsOf(to);
		expect(entries?.get("decoder.mid_block.resnets.0.conv1.weight")?.dtype).toBe("F16");
		expect(entries?.get("decoder.mid_block.resnets.0.conv1.bias")?.dtype).toBe("F32");
		expect(statSync(join(to, vae)).size).toBeLessThan(0.7 * statSync(join(from, vae)).size);
		expect(readFileSync(join(to, "clr_embeds.pt"))).toEqual(readFileSync(join(from, "clr_embeds.pt")));
		const names: string[] = [];
		expect(await verifyWeights(to, (name) => names.push(name))).toMatchObject({ locked: true, hashed: names.length });
		expect(names).toContain(vae);
		expect(await verifyWeights(from, () => undefined)).toEqual({ networks: ["SyncHuman"], locked: false, hashed: 0 });
	}, 30_000);

	test("verify names the file that has changed", async () => {
		const to = join(root, "half");
		const bytes = readFileSync(join(to, vae));
		bytes[bytes.length - 5] ^= 1;
		writeFileSync(join(to, vae), bytes);
		await expect(verifyWeights(to, () => undefined)).rejects.toMatchObject({ code: "checkpoint", message: expect.stringContaining(vae) });
	});

	test("a weight beyond half precision is named; the copy must lie elsewhere", async () => {
		const from = join(root, "ckpts");
		await expect(convertWeights(from, join(from, "inside"), options)).rejects.toMatchObject({ code: "input" });
		await rewriteVae(from, (name) => (name === "encoder.conv_out.weight" ? 1e7 : 1));
		await expect(convertWeights(from, join(root, "other"), options)).rejects.toThrow(/encoder\.conv_out\.weight.*beyond half precision/);
	});
});

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { directoryFolder } from "../../runners/files.ts";
import { declarePshumanComponent, openPshumanWeights, pshumanComponents } from "../../runners/openPshumanWeights.ts";
import { synthesizePshuman } from "../../runners/synthesizePshuman.ts";
import { openPshumanCheckpoint, type PshumanCheckpoint } from "../../weights/pshumanCheckpoint.ts";
import { syntheticPshuman } from "../../weights/syntheticPshuman.ts";

let folder: string;
let written: PshumanCheckpoint;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-pshuman-"));
	await synthesizePshuman("tiny", folder);
	written = await openPshumanCheckpoint(directoryFolder(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const made = syntheticPshuman("tiny");

describe("synthesize tiny --model pshuman", () => {
	it.each(pshumanComponents)("%s: the tensors of the synthetic source, all that the network declares and no other", async (component) => {
		const declaration = await declarePshumanComponent(written, component);
		declaration.finish();
		const [file, source] = [await written.tensors(component), await made.tensors(component)];
		expect(file.entries?.size).toBe(declaration.declared.length);
		for (const { name, storedShape } of declaration.declared) {
			const [stored, expected] = [await file.read(name, storedShape), await source.read(name, storedShape)];
			expect({ name, dtype: stored.dtype, shape: stored.shape }).toEqual({ name, dtype: expected.dtype, shape: expected.shape });
			expect(Buffer.compare(stored.bytes, expected.bytes), name).toBe(0);
		}
	});

	it("configs, schedulers and prompt embeddings; a folder that pshuman opens", async () => {
		for (const component of ["unet", "vae", "image_encoder", "feature_extractor"] as const) {
			expect((await written.config(component)).keys()).toEqual((await made.config(component)).keys());
		}
		for (const component of ["scheduler", "image_noising_scheduler"] as const) {
			expect((await written.scheduler(component)).json).toEqual((await made.scheduler(component)).json);
		}
		for (const views of ["color", "normal"] as const) expect(await written.promptEmbeds(views)).toEqual(await made.promptEmbeds(views));
		expect((await openPshumanWeights(folder)).synthetic).toBe(false);
		expect(readdirSync(folder).sort()).toEqual([
			"clr_embeds.pt",
			"feature_extractor",
			"image_encoder",
			"image_noising_scheduler",
			"image_normalizer",
			"model_index.json",
			"normal_embeds.pt",
			"scheduler",
			"unet",
			"vae",
		]);
	});
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { declareComponent, weightedComponents } from "../../runners/declareComponent.ts";
import { directoryFolder } from "../../runners/files.ts";
import { synthesize } from "../../runners/synthesize.ts";
import type { Checkpoint, Component } from "../../weights/checkpoint.ts";
import { openCheckpoint } from "../../weights/checkpointFolder.ts";
import { syntheticCheckpoint, syntheticConfigs } from "../../weights/syntheticCheckpoint.ts";

let folder: string;
let written: Checkpoint;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-tiny-"));
	await synthesize("tiny", folder);
	written = await openCheckpoint(directoryFolder(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const made = syntheticCheckpoint("tiny");

describe("synthesize tiny", () => {
	it.each(weightedComponents)("%s: the tensors of the synthetic source, all that the network declares and no other", async (component) => {
		const declaration = await declareComponent(written, component, "f16");
		declaration.finish();
		const [file, source] = [await written.tensors(component), await made.tensors(component)];
		expect(file.entries?.size).toBe(declaration.declared.length);
		for (const { name, storedShape } of declaration.declared) {
			const [stored, expected] = [await file.read(name, storedShape), await source.read(name, storedShape)];
			expect({ name, dtype: stored.dtype, shape: stored.shape }).toEqual({ name, dtype: expected.dtype, shape: expected.shape });
			expect(Buffer.compare(stored.bytes, expected.bytes), name).toBe(0);
		}
	});

	it("configs and prompt embeddings", async () => {
		const { components } = syntheticConfigs("tiny");
		for (const component of Object.keys(components) as Component[]) {
			const [stored, expected] = [await written.config(component), await made.config(component)];
			expect(stored.keys()).toEqual(expected.keys());
		}
		expect((await written.engine()).object("dinov2").integer("depth")).toBe(4);
		expect((await written.featureExtractor()).integer("resample")).toBe(3);
		expect((await written.oneStage()).integer("num_views")).toBe(5);
		expect((await written.secondStage()).object("slat_sampler").object("params").integer("steps")).toBe(25);
		for (const views of ["color", "normal"] as const) expect(await written.promptEmbeds(views)).toEqual(await made.promptEmbeds(views));
	});

	it("is the same bytes every time, and nothing else is left", async () => {
		const before = contents(folder);
		await synthesize("tiny", folder);
		expect(contents(folder)).toEqual(before);
		expect(Object.keys(before).filter((name) => name.endsWith(".part"))).toEqual([]);
		expect(Object.keys(before).length).toBe(21);
	});

	it("says which file comes and how large it will be, and stops when asked", async () => {
		const stopped = join(folder, "stopped");
		const controller = new AbortController();
		const files: [string, number][] = [];
		const work = synthesize("tiny", stopped, {
			signal: controller.signal,
			onFile(path, byteLength) {
				files.push([path, byteLength]);
				if (files.length === 3) controller.abort();
			},
		});
		await expect(work).rejects.toMatchObject({ code: "aborted" });
		expect(files.map(([path]) => path)).toEqual([
			join(stopped, "OneStage/image_encoder/model.safetensors"),
			join(stopped, "OneStage/vae/diffusion_pytorch_model.safetensors"),
			join(stopped, "dinov2_vitl14_reg4_pretrain.pth"),
		]);
		expect(readFileSync(files[1][0]).length).toBeGreaterThan(files[1][1]);
		expect(existsSync(files[2][0])).toBe(false);
		// Not yet a checkpoint.
		await expect(openCheckpoint(directoryFolder(stopped))).rejects.toMatchObject({ code: "checkpoint" });
		rmSync(stopped, { recursive: true });
	});
});

function contents(root: string): Record<string, string> {
	const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
	return Object.fromEntries(
		names.map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name)).toString("base64")]),
	);
}

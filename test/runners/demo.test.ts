import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { validateBytes } from "gltf-validator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { writeGaussianPly } from "../../engine/splat/gaussianPly.ts";
import type { ViewPreview } from "../../engine/stages/viewPreview.ts";
import { SyncHuman } from "../../engine/synchuman.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { writeStageOne } from "../../runners/stageFolders.ts";
import { syntheticCheckpoint } from "../../weights/syntheticCheckpoint.ts";
import { testDevice } from "../support/gpu.ts";
import { bundle, synchuman } from "../support/program.ts";

// The demo as users start it, with one step of each stage; then its halves once more, from files.

let folder: string;
beforeAll(() => {
	bundle();
	folder = mkdtempSync(join(tmpdir(), "synchuman-demo-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const steps = ["--steps", "1", "--stage2-steps", "1"];
const read = (...names: string[]) => readFileSync(join(folder, ...names));
const record = (run: string) => JSON.parse(read(run, "run.json").toString());
const hashes = (...names: string[]) =>
	Object.fromEntries(
		readdirSync(join(folder, ...names)).map((name) => [
			name,
			createHash("sha256")
				.update(read(...names, name))
				.digest("hex"),
		]),
	);
const minutes = 60_000;

it("the demo goes from the built-in picture to a valid GLB", { timeout: 10 * minutes }, async () => {
	const { status, stdout, stderr } = await synchuman(["demo", "-o", "demo", ...steps], { cwd: folder });
	expect(status, stderr).toBe(0);
	expect(stdout).toBe("demo/stage1\ndemo/stage2/output.glb\ndemo/stage2/gaussians.ply\ndemo/preview.png\ndemo/run.json\n");
	expect(stderr).toContain("synthetic weights: made-up numbers");
	const { issues } = await validateBytes(new Uint8Array(read("demo", "stage2", "output.glb")));
	expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0]);
	const run = record("demo");
	expect(run).toMatchObject({
		stages: ["1", "2"],
		steps: 1,
		stageTwoSteps: 1,
		textureSize: 512,
		textureEffort: "sketch",
		simplify: 0.3,
		syntheticGeometry: true,
		weights: { name: "synthetic:tiny" },
	});
	expect(run.build).toMatchObject({ version: "0.1.0", bundle: createHash("sha256").update(readFileSync("dist/cli.js")).digest("hex") });
	for (const { part, plannedBytes, peakBytes } of run.parts) expect(peakBytes, part).toBeLessThanOrEqual(plannedBytes);
	expect(read("demo", "stage1", "input.png")).toEqual(Buffer.from(await encodePng(samplePerson())));
});

it("the same picture and weights from files give the same bytes", { timeout: 10 * minutes }, async () => {
	expect((await synchuman(["synthesize", "tiny", "tiny"], { cwd: folder })).status).toBe(0);
	const argv = ["generate", "demo/stage1/input.png", "-o", "again", "--stage", "1", "--weights", "tiny", "--adapter", "software", ...steps];
	const { status, stderr } = await synchuman(argv, { cwd: folder });
	expect(status, stderr).toBe(0);
	expect(hashes("again", "stage1")).toEqual(hashes("demo", "stage1"));
	const { weights, parts } = record("again");
	const vae = read("tiny", "OneStage", "vae", "diffusion_pytorch_model.safetensors");
	const headerLength = Number(vae.readBigUInt64LE(0)) + 8;
	expect(weights.files.find(({ name }: { name: string }) => name === "OneStage/vae/diffusion_pytorch_model.safetensors")).toMatchObject({
		byteLength: vae.length,
		headerSha256: createHash("sha256").update(vae.subarray(0, headerLength)).digest("hex"),
		// Nothing has recorded what the whole file was.
		sha256: null,
	});
	const memory = (of: readonly { part: string; plannedBytes: number; peakBytes: number }[]) =>
		of.map(({ part, plannedBytes, peakBytes }) => [part, plannedBytes, peakBytes]);
	expect(memory(parts)).toEqual(memory(record("demo").parts.slice(0, parts.length)));
});

it("stage 2 alone, from the folder, gives the same GLB", { timeout: 5 * minutes }, async () => {
	const argv = [
		"generate",
		"demo/stage1",
		"-o",
		"second",
		"--stage",
		"2",
		"--weights",
		"synthetic:tiny",
		"--adapter",
		"software",
		"--texture-size",
		"512",
		"--texture-effort",
		"sketch",
		...steps,
	];
	const { status, stdout, stderr } = await synchuman([...argv, "--json"], { cwd: folder });
	expect(status, stderr).toBe(0);
	expect(JSON.parse(stdout.trim().split("\n").at(-1) as string)).toMatchObject({
		event: "result",
		files: ["second/stage2/output.glb", "second/stage2/gaussians.ply", "second/preview.png", "second/run.json"],
	});
	expect(hashes("second", "stage2")).toEqual(hashes("demo", "stage2"));
	expect(record("second").stageOneRun).toEqual(record("demo"));
});

it("the same views, voxels and Gaussians where one binding shows 4.5 MiB, so that large tensors are read in windows", {
	timeout: 10 * minutes,
}, async () => {
	const device = await testDevice({ maxBindingBytes: 4.5 * 2 ** 20 });
	const engine = await SyncHuman.open({ device, weights: syntheticCheckpoint("tiny") });
	// Whether somebody watches changes nothing either.
	const previews: ViewPreview[] = [];
	const { stageOne, stageTwo } = await engine.generate(samplePerson(), {
		...{ steps: 1, stageTwoSteps: 1, textureSize: 0 },
		onViews: (preview) => previews.push(preview),
	});
	engine.close();
	expect(previews).toMatchObject([{ step: 1, steps: 1 }]);
	for (const view of previews[0].views) expect(new Set(view.data).size).toBeGreaterThan(8);
	expect(previews[0].views.length).toBe(5);
	await writeStageOne(join(folder, "windows", "stage1"), stageOne);
	expect(hashes("windows", "stage1")).toEqual(hashes("demo", "stage1"));
	const gaussians = Buffer.from(writeGaussianPly(stageTwo.gaussians));
	expect(gaussians.equals(read("demo", "stage2", "gaussians.ply"))).toBe(true);
});

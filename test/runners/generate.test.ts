import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { validateBytes } from "gltf-validator";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { imageOf } from "../../engine/image/image.ts";
import type { RunOptions } from "../../engine/synchuman.ts";
import { generateArguments, parseCommandLine } from "../../runners/arguments.ts";
import { generate, type Surroundings } from "../../runners/generate.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { synthesize } from "../../runners/synthesize.ts";
import { hashWeightsFolder } from "../../runners/weightFiles.ts";
import { weightsLockName } from "../../runners/weightsLock.ts";
import { failureOf } from "../support/hostile.ts";
import { stageOneResult } from "../support/stageResults.ts";
import { type StubOptions, stubEngine } from "../support/stubEngine.ts";
import { tinyU2net, u2netOnnx } from "../support/u2netFiles.ts";

let folder: string;
let picture: string;
let output: string;
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-generate-"));
	picture = join(folder, "person.png");
	output = join(folder, "out");
	writeFileSync(picture, await encodePng(stageOneResult().input));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(argv: readonly string[], stub: StubOptions = {}, surroundings: Partial<Surroundings> = {}) {
	const said: string[] = [];
	const written: string[] = [];
	let opened = 0;
	const weights = argv.includes("--weights") ? [] : ["--weights", "synthetic:tiny"];
	const options = generateArguments(parseCommandLine(["generate", ...argv, "-o", output, ...weights]));
	const error = await failureOf(() =>
		generate(options, {
			openEngine: async () => {
				opened++;
				return stubEngine(stub);
			},
			out: (text) => written.push(text),
			say: (text) => said.push(text),
			terminal: false,
			signal: new AbortController().signal,
			...surroundings,
		}),
	);
	return { error, out: written.join(""), said: said.join(""), opened };
}

const record = () => JSON.parse(readFileSync(join(output, "run.json"), "utf8"));

function contents(): Record<string, string> {
	const files = readdirSync(output, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
	return Object.fromEntries(files.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString("base64")]));
}

describe("a picture with a background", () => {
	const photo = async () => {
		writeFileSync(picture, await encodePng(imageOf(80, 100, 3, new Uint8Array(80 * 100 * 3).fill(120))));
		return picture;
	};
	beforeEach(() => void vi.stubEnv("U2NET_HOME", join(folder, "remover")));
	afterEach(() => void vi.unstubAllEnvs());

	it("has it removed before stage 1, and is told what looks wrong", async () => {
		mkdirSync(join(folder, "remover"));
		writeFileSync(join(folder, "remover", "u2netp.onnx"), u2netOnnx(tinyU2net()));
		const { error, said } = await run([await photo(), "--stage", "1"]);
		expect(error).toBeUndefined();
		expect(said).toContain(`background: removed by ${join(folder, "remover", "u2netp.onnx")}\n`);
		expect(said).toContain("warning: the person is only about 50 pixels high");
		expect(record().cutOut).toMatch(/^removed by .*u2netp.onnx \(\d+ bytes\)$/);
	});

	it("is refused before a GPU is opened where no network is there", async () => {
		const { error, opened } = await run([await photo()]);
		expect(error).toMatchObject({ code: "input", message: expect.stringMatching(/there is no network that removes backgrounds/) });
		expect(opened).toBe(0);
	});
});

describe("generate", () => {
	it("writes stage1/, stage2/ and run.json, and says where", async () => {
		const { error, out, said } = await run([picture]);
		expect(error).toBeUndefined();
		expect(out).toBe(
			`${["stage1", "stage2/output.glb", "stage2/gaussians.ply", "preview.png", "run.json"].map((name) => join(output, name)).join("\n")}\n`,
		);
		expect(said).toContain("adapter: a card, f16\n");
		expect(said).toContain("synthetic weights: made-up numbers");
		expect(said).toContain("stage 1: at most 3.0 MiB of GPU memory (diffusion 3.0 MiB)\ndiffusion ...\ndiffusion: 0.0 s\nstage 2:");
		expect(readdirSync(output).sort()).toEqual(["preview.png", "run.json", "stage1", "stage2"]);
		expect(record()).toMatchObject({
			build: { version: "0.1.0", bundle: null },
			stages: ["1", "2"],
			input: { width: 32, height: 32, sha256: createHash("sha256").update(stageOneResult().input.data).digest("hex") },
			seed: 43,
			random: [
				{ use: "views", seed: 43, launchLayout: { multiprocessors: 132, threadsPerMultiprocessor: 2048 } },
				{ use: "structure", generator: "torch CPU (mt19937)" },
				{ use: "latent flow", seed: 43 },
			],
			steps: 50,
			guidance: 3,
			stageTwoSteps: 25,
			dtype: "f16",
			weights: { name: "synthetic:tiny", synthetic: true, files: [], identity: null },
			syntheticGeometry: true,
			adapter: { adapter: "a card" },
			voxels: 3,
			gaussians: 96,
			parts: [{ part: "diffusion", plannedBytes: 3, peakBytes: 2 }, { part: "mesh decoder" }, { part: "export" }],
			stageOneRun: null,
		});
	});

	it("asks for a texture, unless it is not wanted, and puts what came of it into files and record", async () => {
		const asked: (number | undefined)[] = [];
		const onCall = (_: string, { textureSize, simplify }: RunOptions) => void asked.push(textureSize, simplify);
		const repair = { hiddenFaces: 5, attempt: 3, floatingFaces: 0, closedBoundaries: 1, boundaryEdges: 4, openBoundaries: [4] };
		await run([picture, "--texture-size", "512", "--simplify", "0.5"], { onCall, finished: { size: 16, repair } });
		expect(asked.slice(2)).toEqual([512, 0.5]);
		expect(record()).toMatchObject({ textureSize: 16, simplify: 0.5, repair });
		const { issues } = await validateBytes(new Uint8Array(readFileSync(join(output, "stage2", "output.glb"))));
		expect([issues.numErrors, issues.numWarnings, issues.numInfos]).toEqual([0, 0, 0]);
		await run([picture, "--texture-size", "0"], { onCall });
		expect(asked.slice(6)).toEqual([0, 0.3]);
		expect(record()).toMatchObject({ textureSize: 0, simplify: null, repair: null });
	});

	it("writes no preview where none is wanted, or where the GPU has no room for it", async () => {
		await run([picture, "--no-preview"]);
		expect(existsSync(join(output, "preview.png"))).toBe(false);
		const previewFails = new SyncHumanError("memory", "preview: preview needs 9 bytes of GPU memory, more than the 1 allowed.");
		const { error, said } = await run([picture], { previewFails });
		expect(error).toBeUndefined();
		expect(said).toContain("no preview.png: preview: preview needs 9 bytes");
		expect(existsSync(join(output, "preview.png"))).toBe(false);
	});

	it("writes the same bytes twice, but for the seconds in run.json", async () => {
		const withoutSeconds = (text: string) =>
			Buffer.from(text, "base64")
				.toString()
				.replace(/"(\w*[sS]econds)": [\d.]+/g, '"$1": 0');
		await run([picture, "--seed", "7"]);
		const before = contents();
		await run([picture, "--seed", "7"]);
		const after = contents();
		expect(withoutSeconds(after["run.json"])).toBe(withoutSeconds(before["run.json"]));
		expect({ ...after, "run.json": "" }).toEqual({ ...before, "run.json": "" });
	});

	it("gives JSON lines, the result last", async () => {
		const { out, said } = await run([picture, "--json"]);
		const events = out
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(events.map(({ event }) => event)).toEqual(["start", "plan", "progress", "progress", "plan", "progress", "progress", "result"]);
		expect(events[0]).toMatchObject({ synthetic: true, dtype: "f16", adapter: { adapter: "a card" } });
		expect(events[1]).toMatchObject({ stage: "stage 1", peakBytes: 3 * 2 ** 20 });
		expect(events.at(-1)).toMatchObject({ voxels: 3, syntheticGeometry: true, files: expect.arrayContaining([join(output, "run.json")]) });
		expect(said).toBe("");
	});

	it("keeps stage 1 where stage 2 fails, says so, and goes on from there", async () => {
		const { error } = await run([picture, "--steps", "9"], { failIn: "2" });
		expect(error).toMatchObject({ code: "aborted", hint: `stage1/ is kept: go on with synchuman generate -o ${output} --stage 2.` });
		expect(readdirSync(join(output, "stage1")).length).toBe(14);
		expect(existsSync(join(output, "stage2"))).toBe(false);
		expect(record()).toMatchObject({ stages: ["1"], steps: 9, stageTwoSteps: null, vertices: null, syntheticGeometry: false });
		const calls: string[] = [];
		for (const time of ["first", "second"]) {
			const second = await run(["--stage", "2"], { onCall: (stage) => calls.push(`${time} ${stage}`) });
			expect(second.error).toBeUndefined();
			expect(record()).toMatchObject({
				stages: ["2"],
				steps: null,
				guidance: null,
				stageTwoSteps: 25,
				stageOneRun: { stages: ["1"], steps: 9 },
			});
		}
		expect(calls).toEqual(["first 2", "second 2"]);
		expect(existsSync(join(output, "stage2", "output.glb"))).toBe(true);
	});

	it("runs one stage, and stage 2 from a folder elsewhere", async () => {
		const calls: string[] = [];
		await run([picture, "--stage", "1"], { onCall: (stage) => calls.push(stage) });
		expect(calls).toEqual(["1"]);
		expect(existsSync(join(output, "stage2"))).toBe(false);
		const made = join(output, "stage1");
		output = join(folder, "other");
		expect((await run([made, "--stage", "2"])).error).toBeUndefined();
		expect(readdirSync(output).sort()).toEqual(["preview.png", "run.json", "stage2"]);
	});

	it("hands options and signal to the engine", async () => {
		const controller = new AbortController();
		const seen: object[] = [];
		const argv = [picture, "--seed", "5", "--steps", "4", "--stage2-steps", "3", "--guidance", "2.5"];
		await run(argv, { onCall: (_stage, options) => seen.push(options) }, { signal: controller.signal });
		expect(seen[0]).toMatchObject({ seed: 5, steps: 4, stageTwoSteps: 3, guidance: 2.5, signal: controller.signal });
	});

	it("names every file of a checkpoint folder that it read, by the hash of its header and the recorded one", async () => {
		const weights = join(folder, "tiny");
		await synthesize("tiny", weights);
		await run([picture, "--stage", "1", "--weights", weights]);
		const before = record().weights;
		expect(before).toMatchObject({ name: weights, synthetic: false, identity: expect.stringMatching(/^[0-9a-f]{64}$/) });
		const names = before.files.map(({ name }: { name: string }) => name);
		expect(names).toEqual([...names].sort());
		expect(names).toContain("OneStage/vae/diffusion_pytorch_model.safetensors");
		expect(names).toContain("dinov2_vitl14_reg4_pretrain.pth");
		expect(names).not.toContain("SecondStage/ckpts/slat_flow/model.safetensors");
		for (const { name, byteLength, headerSha256, sha256 } of before.files) {
			expect([name, byteLength, sha256]).toEqual([name, statSync(join(weights, name)).size, null]);
			expect(headerSha256).toMatch(/^[0-9a-f]{64}$/);
		}
		const hashed = await hashWeightsFolder(weights, names);
		writeFileSync(join(weights, weightsLockName), JSON.stringify({ files: Object.fromEntries(hashed) }));
		await run([picture, "--stage", "1", "--weights", weights]);
		const { files, identity } = record().weights;
		expect(identity).not.toBe(before.identity);
		for (const { name, sha256 } of files) {
			expect([name, sha256]).toEqual([
				name,
				createHash("sha256")
					.update(readFileSync(join(weights, name)))
					.digest("hex"),
			]);
		}
		expect(files.map(({ headerSha256 }: { headerSha256: string }) => headerSha256)).toEqual(
			before.files.map(({ headerSha256 }: { headerSha256: string }) => headerSha256),
		);
	});

	it("looks at picture, folder and weights before it opens the GPU", async () => {
		writeFileSync(join(folder, "text"), "not a picture");
		for (const [argv, code] of [
			[[join(folder, "missing.png")], "input"],
			[[join(folder, "text")], "input"],
			[[folder], "input"],
			[[picture, "--weights", join(folder, "nowhere")], "checkpoint"],
			[[picture, "--weights", "synthetic:huge"], "checkpoint"],
			[["--stage", "2"], "input"],
		] as const) {
			const { error, opened } = await run(argv);
			expect(error).toMatchObject({ code });
			expect(opened).toBe(0);
		}
		output = join(folder, "text");
		expect(await run([picture])).toMatchObject({ error: { code: "disk" }, opened: 0 });
	});

	it("takes the sample where there is no picture", async () => {
		const options = {
			...generateArguments(parseCommandLine(["generate", picture, "-o", output])),
			weights: "synthetic:tiny",
			image: undefined,
		};
		const surroundings = {
			openEngine: async () => stubEngine(),
			out: () => {},
			say: () => {},
			terminal: false,
			signal: new AbortController().signal,
		};
		await generate(options, { ...surroundings, sample: () => stageOneResult().input });
		expect(existsSync(join(output, "stage2", "output.glb"))).toBe(true);
		expect(await failureOf(() => generate(options, surroundings))).toMatchObject({ code: "input" });
	});
});

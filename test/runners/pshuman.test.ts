import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { validateBytes } from "gltf-validator";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { pshumanPictures, pshumanViewNames } from "../../engine/image/pshumanViews.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { PsHuman } from "../../engine/pshuman.ts";
import { TorchCudaGenerator } from "../../engine/random/philox.ts";
import { parseCommandLine } from "../../runners/arguments.ts";
import { decodePicture, encodePng } from "../../runners/imageFile.ts";
import { type PsHumanEngine, type PshumanSurroundings, pshuman } from "../../runners/pshuman.ts";
import { pshumanArguments } from "../../runners/pshumanArguments.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { testDevice } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";
import { smallPshuman } from "../support/smallPshuman.ts";
import { stageOneResult } from "../support/stageResults.ts";
import { stubReport } from "../support/stubEngine.ts";
import { tinyU2net, u2netOnnx } from "../support/u2netFiles.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-pshuman-"));
});
afterEach(() => {
	vi.unstubAllEnvs();
	rmSync(folder, { recursive: true, force: true });
});

const argumentsOf = (argv: readonly string[], config?: string) => pshumanArguments(parseCommandLine(["pshuman", ...argv]), config);

async function run(argv: readonly string[], openEngine: PshumanSurroundings["openEngine"]) {
	const [written, said]: string[][] = [[], []];
	let status: number | undefined;
	const error = await failureOf(async () => {
		status = await pshuman(argumentsOf([...argv, "-o", join(folder, "out"), "--weights", "synthetic:tiny"]), {
			openEngine,
			effort: { visibilityViews: 30, visibilitySize: 256, viewSize: 64, fitSteps: 0 },
			out: (text) => written.push(text),
			say: (text) => said.push(text),
			terminal: false,
			signal: new AbortController().signal,
		});
	});
	return { error, status, out: written.join(""), said: said.join("") };
}

const record = (name = "") => JSON.parse(readFileSync(join(folder, "out", name, "run.json"), "utf8"));

/** An engine that gives made views at once, and notes the first number each picture's noise has. */
function stub(noBody?: SyncHumanError): {
	readonly engine: PsHumanEngine;
	readonly firstNumbers: number[];
	readonly networks: (string | undefined)[];
} {
	const firstNumbers: number[] = [];
	const networks: (string | undefined)[] = [];
	const view = (level: number) => ({ width: 6, height: 6, channels: 3, data: new Float32Array(6 * 6 * 3).fill(level / 16) });
	const engine: PsHumanEngine = {
		device: { report: stubReport },
		dtype: "f16",
		measurements: [],
		async views(_image, { seed } = {}) {
			firstNumbers.push((seed as TorchCudaGenerator).normals(4, "f32")[0]);
			const seven = (from: number) => Array.from({ length: 7 }, (_, i) => view(from + i));
			return pshumanPictures(view(15), seven(0), seven(7));
		},
		removeBackground: async () => stageOneResult().input,
		async maskedViews(views, network) {
			networks.push(network?.tensors.name);
			return views;
		},
		async body() {
			if (noBody !== undefined) throw noBody;
			return { mesh: ballMesh([0, 0, 0], 0.4, 8), resolution: 32, syntheticGeometry: true };
		},
		preview: async () => ({ width: 2, height: 2, channels: 3, data: new Uint8Array(12) }),
		draw: async ({ views }) => views.map(() => ({ width: 4, height: 4, channels: 3, data: new Uint8Array(48) })),
	};
	return { engine, firstNumbers, networks };
}

async function threePictures(): Promise<string> {
	const pictures = join(folder, "pictures");
	mkdirSync(pictures);
	const good = await encodePng(stageOneResult().input);
	writeFileSync(join(pictures, "a.png"), good);
	writeFileSync(join(pictures, "b.jpg"), "no picture");
	writeFileSync(join(pictures, "c.v2.PNG"), good);
	writeFileSync(join(pictures, "notes.txt"), "");
	return pictures;
}

describe("pshuman", () => {
	it("goes from a picture to views and a body with the tiny networks", async () => {
		const picture = join(folder, "person.png");
		writeFileSync(picture, await encodePng(samplePerson()));
		const device = await testDevice();
		const opened: PsHuman[] = [];
		const { error, said } = await run([picture, "--steps", "1", "--texture-size", "0"], async () => {
			opened.push(await PsHuman.open({ device, weights: smallPshuman() }));
			return opened[0];
		});
		opened[0]?.close();
		expect(error).toBeUndefined();
		expect(said).toContain("The views are noise");
		const output = join(folder, "out");
		const masked = pshumanViewNames.flatMap((view) => [`color_${view}_masked.png`, `normal_${view}_masked.png`]);
		const found = readdirSync(output);
		expect(found).toEqual(expect.arrayContaining([...masked, "views", "output.glb", "preview.png", "run.json"]));
		expect(readdirSync(join(output, "views"))).toHaveLength(10);
		const strip = join(folder, "out", "cropsize-740-cfg3.0-seed600-smpl-False", "person.png");
		expect((await decodePicture(readFileSync(strip), strip)).width).toBe(15 * 96);
		expect((await decodePicture(readFileSync(join(output, masked[0])), masked[0])).channels).toBe(4);
		expect(record()).toMatchObject({ seed: 600, seedOrder: "picture", steps: 1, eta: 1, cropSize: 740, syntheticGeometry: true });
		const { issues } = await validateBytes(readFileSync(join(output, "output.glb")));
		expect([issues.numErrors, issues.numWarnings, issues.numInfos]).toEqual([0, 0, 0]);
	}, 120_000);

	it("does every picture of a folder; one that cannot be read does not stop the others", async () => {
		const { engine, firstNumbers } = stub();
		const { status, out, said } = await run([await threePictures(), "--no-preview"], async () => engine);
		expect(status).toBe(2);
		expect(said).toContain("1 of 3 pictures failed");
		expect(said).toContain("b.jpg: is not a picture that can be read.");
		expect(out.split("\n")).toContain(join(folder, "out", "c.v2", "output.glb"));
		expect(readdirSync(join(folder, "out")).sort()).toEqual(["a", "c.v2", "cropsize-740-cfg3.0-seed600-smpl-False"]);
		// Every picture starts at the seed.
		const first = new TorchCudaGenerator(600).normals(4, "f32")[0];
		expect(firstNumbers).toEqual([first, first]);
	});

	it("--seed-order run hands the noise on; --save-mode concat writes the strip alone", async () => {
		const { engine, firstNumbers } = stub();
		await run([await threePictures(), "--no-preview", "--seed-order", "run", "--save-mode", "concat", "--video"], async () => engine);
		expect(firstNumbers[1]).not.toBe(firstNumbers[0]);
		expect(record("c.v2")).toMatchObject({ seedOrder: "run", position: 2 });
		expect(readdirSync(join(folder, "out", "a")).filter((name) => !/^turntable\.(mp4|webp)$/.test(name))).toEqual([
			...["output.glb", "run.json", "views"],
		]);
		expect(readdirSync(join(folder, "out", "a"))).toHaveLength(4);
	});

	it("removes the background of a photo, and cuts out the views, by the network that is there", async () => {
		const home = join(folder, "home");
		mkdirSync(home);
		vi.stubEnv("U2NET_HOME", home);
		const picture = join(folder, "photo.png");
		writeFileSync(picture, await encodePng({ width: 80, height: 80, channels: 3, data: new Uint8Array(80 * 80 * 3).fill(90) }));
		const { engine, networks } = stub();
		const go = (...more: string[]) => run([picture, "--no-preview", ...more], async () => engine);
		expect((await go()).error).toMatchObject({ message: expect.stringContaining("no network that removes backgrounds") });
		expect((await go("--view-masks", "u2net")).error).toMatchObject({ code: "input", message: expect.stringContaining("--view-masks") });
		const path = join(home, "u2net.onnx");
		writeFileSync(path, u2netOnnx(tinyU2net()));
		const { error, said } = await go();
		expect(error).toBeUndefined();
		expect(said).toContain(`background: removed by ${path}`);
		const cutOut = expect.stringContaining(`removed by ${path}`);
		expect(record()).toMatchObject({ background: "auto", cutOut, viewMasks: "normals" });
		await go("--view-masks", "u2net");
		expect(record().viewMasks).toContain(path);
		// Views of synthetic weights are noise: their normals cut them out unless something else is asked for.
		expect(networks).toEqual([undefined, path]);
	});

	it("keeps the views where they show nobody, and says so", async () => {
		const picture = join(folder, "person.png");
		writeFileSync(picture, await encodePng(stageOneResult().input));
		const { engine } = stub(new SyncHumanError("input", "The front view shows nobody: its normal map is background everywhere."));
		const { error, said } = await run([picture], async () => engine);
		expect(error).toBeUndefined();
		expect(said).toContain("no body: The front view shows nobody");
		expect(record()).toMatchObject({ vertices: null, faces: null, remarks: expect.arrayContaining([expect.stringContaining("no body")]) });
	});
});

const yaml = `# PSHuman
pretrained_model_name_or_path: 'stabilityai/stable-diffusion-2-1-unclip'
num_views: 7
with_smpl: false
validation_dataset:
  root_dir: examples/shhq   # a folder
  crop_size: 720
  img_wh: [768, 768]
save_mode: rgba
seed: 42
validation_guidance_scales: [3.5]
pipe_validation_kwargs:
  eta: 0.5
recon_opt:
  list:
    - 1
`;

describe("pshumanArguments", () => {
	it("has upstream's defaults", () => {
		expect(argumentsOf(["a.png", "-o", "x"])).toMatchObject({
			...{ images: ["a.png"], weights: "ckpts/PSHuman_Unclip_768_6views", cropSize: 740, seed: 600, steps: 40, guidance: 3, eta: 1 },
			...{ saveMode: "rgb", seedOrder: "picture", video: false, textureSize: 1024, remarks: [] },
		});
	});

	it("takes upstream's overrides and configuration; options count before overrides, overrides before the file", () => {
		const upstream = ["pretrained_model_name_or_path=DIR", "validation_dataset.crop_size=740", "with_smpl=false", "num_views=7"];
		const more = ["validation_dataset.root_dir=pictures", "seed=600", "save_mode='rgb'"];
		expect(argumentsOf([...upstream, ...more, "-o", "x"])).toMatchObject({ images: ["pictures"], weights: "DIR", cropSize: 740 });
		const given = ["--config", "c.yaml", "seed=7", "--eta", "0.25", "-o", "x"];
		const read = argumentsOf(given, yaml);
		expect(read).toMatchObject({ images: ["examples/shhq"], cropSize: 720, seed: 7, guidance: 3.5, eta: 0.25, saveMode: "rgb" });
		expect(read.remarks).toEqual(["c.yaml: these keys count for nothing: validation_dataset.img_wh"]);
	});

	it("takes the whole picture with --crop-size=-1", () => {
		expect(argumentsOf(["a.png", "-o", "x", "--crop-size=-1"]).cropSize).toBe(-1);
	});

	it.each([
		[["-o", "x"], "IMAGE is missing."],
		[["a.png"], "-o DIR is missing."],
		[["a.png", "-o", "x", "--num-views", "5"], "--num-views must be 7, as the checkpoint has, got 5."],
		[["a.png", "-o", "x", "with_smpl=true"], "with_smpl must be false, got true: the latents of a body model need other weights."],
		[["a.png", "-o", "x", "--crop-size", "12"], "--crop-size must be -1 or from 64 to 768, got 12."],
		[["a.png", "-o", "x", "--save-mode", "all"], "--save-mode must be rgb or concat, got all."],
		[["a.png", "-o", "x", "--eta", "2"], "--eta must be a number from 0 to 1, got 2."],
	])("refuses %j", (argv, message) => {
		expect(() => argumentsOf(argv)).toThrow(message);
	});

	it("names a key that does not count, and a line of the file that is none", () => {
		expect(() => argumentsOf(["a.png", "-o", "x", "sed=3"])).toThrow('Unknown key "sed"; those that count are');
		expect(() => argumentsOf(["a.png", "-o", "x", "--config", "c.yaml"], "seed: 1\nwhat")).toThrow('c.yaml: line 2 is not "key: value".');
	});
});

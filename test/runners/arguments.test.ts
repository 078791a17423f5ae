import { describe, expect, it } from "vitest";
import { demoArguments, generateArguments, helpText, parseCommandLine, synthesizeArguments } from "../../runners/arguments.ts";

const parse = (...argv: string[]) => generateArguments(parseCommandLine(["generate", ...argv]));

const parseDemo = (...argv: string[]) => demoArguments(parseCommandLine(["demo", ...argv]));
const parseSynthesize = (...argv: string[]) => synthesizeArguments(parseCommandLine(["synthesize", ...argv]));

describe("arguments", () => {
	it("has the defaults of engine/defaults.ts", () => {
		expect(parse("a.png", "-o", "out")).toEqual({
			image: "a.png",
			output: "out",
			weights: "ckpts",
			background: "auto",
			seed: 43,
			steps: 50,
			stageTwoSteps: 25,
			guidance: 3,
			textureSize: 1024,
			textureEffort: "full",
			simplify: 0.3,
			faceTexels: 1,
			normalMap: false,
			textureFormat: "png",
			unlit: false,
			height: undefined,
			compress: false,
			meshFormats: [],
			preview: true,
			stage: "both",
			dtype: undefined,
			adapter: undefined,
			maxMemory: undefined,
			json: false,
		});
		expect(helpText).toContain("balanced (50/25 steps)");
	});

	it("lets single options win over a preset", () => {
		expect(parse("a.png", "-o", "out", "--preset", "high", "--steps", "60")).toMatchObject({ steps: 60, stageTwoSteps: 50 });
		expect(parse("a.png", "-o", "out", "--max-memory", "1.5GiB").maxMemory).toBe(1.5 * 2 ** 30);
		expect(parse("-o", "out", "--stage", "2").image).toBeUndefined();
		expect(parse("a.png", "-o", "out", "--texture-size", "4096", "--simplify", "20000")).toMatchObject({
			textureSize: 4096,
			simplify: 20000,
		});
		expect(parse("a.png", "-o", "out", "--texture-size", "0")).toMatchObject({ textureSize: 0 });
		expect(parse("a.png", "-o", "out", "--mesh-format", "ply, obj", "--height", "1.8", "--no-preview")).toMatchObject({
			meshFormats: ["obj", "ply"],
			height: 1.8,
			preview: false,
		});
	});

	it.each([
		[["a.png"], /-o DIR is missing/],
		[["-o", "x"], /IMAGE is missing/],
		[["a", "b", "-o", "x", "--stage", "2"], /One stage1 folder at a time/],
		[["a.png", "-o", "x", "--steps", "0"], /--steps must be a whole number from 1/],
		[["a.png", "-o", "x", "--steps", ""], /--steps is empty/],
		[["a.png", "-o", "x", "--seed", "4.5"], /--seed/],
		[["a.png", "-o", "x", "--seed", "4294967296"], /--seed/],
		[["a.png", "-o", "x", "--guidance", "nan"], /--guidance/],
		[["a.png", "-o", "x", "--texture-size", "1000"], /--texture-size must be 0 or a power of two from 512 to 4096, got 1000/],
		[["a.png", "-o", "x", "--texture-size", "256"], /--texture-size/],
		[["a.png", "-o", "x", "--texture-size=-512"], /--texture-size/],
		[["a.png", "-o", "x", "--texture-size", "512", "--simplify", "0"], /--simplify must be a share of the faces/],
		[["a.png", "-o", "x", "--texture-size", "512", "--simplify", "2.5"], /--simplify/],
		[["a.png", "-o", "x", "--simplify", "0.5", "--texture-size", "0"], /--simplify needs a texture/],
		[["a.png", "-o", "x", "--texture-size", "0", "--normal-map"], /--normal-map needs a texture/],
		[["a.png", "-o", "x", "--texture-size", "512", "--normal-map", "--unlit"], /--normal-map does nothing without light/],
		[["a.png", "-o", "x", "--texture-size", "512", "--texture-format", "jpeg"], /--texture-format must be png or webp/],
		[["a.png", "-o", "x", "--texture-size", "512", "--face-texels", "20"], /--face-texels must be a number from 1 to 16/],
		[["a.png", "-o", "x", "--height", "0"], /--height must be a number from 0.01/],
		[["a.png", "-o", "x", "--mesh-format", "obj,stl"], /--mesh-format must be glb or obj or ply, got stl/],
		[["a.png", "-o", "x", "--preset", "best"], /--preset must be quick or balanced or high/],
		[["a.png", "-o", "x", "--stage", "3"], /--stage/],
		[["a.png", "-o", "x", "--dtype", "bf16"], /--dtype/],
		[["a.png", "-o", "x", "--max-memory", "lots"], /--max-memory/],
		[["a.png", "-o", "x", "--colour"], /Unknown option '--colour'/],
		[["a.png", "-o", "x", "--seed", "-1"], /^--seed lacks its value, or it begins with a dash: write --seed=VALUE\.$/],
		[["a.png", "-o", "--seed", "1"], /^-o lacks its value, or it begins with a dash: write -oVALUE\.$/],
	])("refuses %j", (argv, message) => {
		expect(() => parse(...argv)).toThrow(message);
		try {
			parse(...argv);
		} catch (error) {
			expect(error).toMatchObject({ code: "input", hint: expect.stringMatching(/--help/) });
		}
	});

	it("has defaults of its own for the demo, which options and presets replace", () => {
		expect(parseDemo()).toMatchObject({
			image: undefined,
			output: "out/demo",
			weights: "synthetic:tiny",
			steps: 2,
			stageTwoSteps: 2,
			textureSize: 512,
			textureEffort: "sketch",
			stage: "both",
		});
		expect(parseDemo("--texture-size", "1024")).toMatchObject({ textureSize: 1024, simplify: 0.3 });
		expect(parseDemo("--steps", "3", "-o", "x")).toMatchObject({ output: "x", steps: 3, stageTwoSteps: 2 });
		expect(parseDemo("--preset", "quick", "--stage2-steps", "1")).toMatchObject({ weights: "synthetic:tiny", steps: 30, stageTwoSteps: 1 });
		expect(() => parseDemo("a.png")).toThrow(/demo takes no picture, got a.png/);
	});

	it("reads size and folder of synthesize", () => {
		expect(parseSynthesize("tiny", "x")).toEqual({ size: "tiny", folder: "x", model: "synchuman" });
		for (const argv of [[], ["tiny"], ["tiny", "x", "y"]]) expect(() => parseSynthesize(...argv)).toThrow(/tiny or full, and a folder/);
		expect(() => parseSynthesize("huge", "x")).toThrow(/The size must be tiny or full, got huge/);
	});
});

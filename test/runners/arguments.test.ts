import { describe, expect, it } from "vitest";
import { generateArguments, helpText, parseCommandLine } from "../../runners/arguments.ts";

const parse = (...argv: string[]) => generateArguments(parseCommandLine(["generate", ...argv]));

describe("arguments", () => {
	it("has the defaults of engine/defaults.ts", () => {
		expect(parse("a.png", "-o", "out")).toEqual({
			image: "a.png",
			output: "out",
			weights: "ckpts",
			seed: 43,
			steps: 50,
			stageTwoSteps: 25,
			guidance: 3,
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
	});

	it.each([
		[["a.png"], /-o DIR is missing/],
		[["-o", "x"], /IMAGE is missing/],
		[["a.png", "b.png", "-o", "x"], /one picture at a time/],
		[["a.png", "-o", "x", "--steps", "0"], /--steps must be a whole number from 1/],
		[["a.png", "-o", "x", "--steps", ""], /--steps/],
		[["a.png", "-o", "x", "--seed", "4.5"], /--seed/],
		[["a.png", "-o", "x", "--seed", "4294967296"], /--seed/],
		[["a.png", "-o", "x", "--guidance", "nan"], /--guidance/],
		[["a.png", "-o", "x", "--preset", "best"], /--preset must be quick, balanced, high/],
		[["a.png", "-o", "x", "--stage", "3"], /--stage/],
		[["a.png", "-o", "x", "--dtype", "bf16"], /--dtype/],
		[["a.png", "-o", "x", "--max-memory", "lots"], /--max-memory/],
		[["a.png", "-o", "x", "--colour"], /Unknown option '--colour'/],
	])("refuses %j", (argv, message) => {
		expect(() => parse(...argv)).toThrow(message);
		try {
			parse(...argv);
		} catch (error) {
			expect(error).toMatchObject({ code: "input", hint: expect.stringMatching(/--help/) });
		}
	});
});

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { generateArguments, parseCommandLine } from "../../runners/arguments.ts";
import type { Engine } from "../../runners/generate.ts";
import { generateMany } from "../../runners/generateMany.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { pictureTargets } from "../../runners/pictureTargets.ts";
import { failureOf } from "../support/hostile.ts";
import { stageOneResult } from "../support/stageResults.ts";
import { stubEngine } from "../support/stubEngine.ts";

let folder: string;
let pictures: string;
let output: string;
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-many-"));
	pictures = join(folder, "pictures");
	output = join(folder, "out");
	mkdirSync(pictures);
	for (const name of ["a.png", "b.png", "c.png"]) writeFileSync(join(pictures, name), await encodePng(stageOneResult().input));
	writeFileSync(join(pictures, "notes.txt"), "no picture");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `generate` with a stub; `fail` throws where a stage begins to fail it. */
async function run(argv: readonly string[], fail: (stage: "1" | "2", call: number) => void = () => {}) {
	const line = parseCommandLine(["generate", ...argv, "-o", output, "--weights", "synthetic:tiny", "--texture-size", "0"]);
	const options = generateArguments(line);
	let [opened, status] = [0, 0];
	const calls: string[] = [];
	const words: string[] = [];
	const inner: Engine = stubEngine({
		onCall(stage) {
			calls.push(stage);
			fail(stage, calls.length);
		},
	});
	const error = await failureOf(async () => {
		const targets = await pictureTargets(line.operands, output);
		status = await generateMany(options, targets, line.values.resume === true, {
			async openEngine() {
				opened++;
				return inner;
			},
			out: (text) => void words.push(text),
			say: (text) => void words.push(text),
			terminal: false,
			signal: new AbortController().signal,
		});
	});
	return { error, status, opened, calls: calls.join(""), words: words.join("") };
}

const record = (name: string) => JSON.parse(readFileSync(join(output, name, "run.json"), "utf8"));

describe("generate with several pictures", () => {
	it("gives each a folder of its name, opens the engine once, and keeps their records apart", async () => {
		const { status, opened, calls, words } = await run([pictures]);
		expect([status, opened, calls]).toEqual([0, 1, "121212"]);
		for (const name of ["a", "b", "c"]) {
			expect(existsSync(join(output, name, "stage2", "output.glb"))).toBe(true);
			expect(record(name).parts.map(({ part }: { part: string }) => part)).toEqual(["diffusion", "mesh decoder", "export"]);
		}
		expect(words).toContain("3 pictures done");
	});

	it("goes on after a picture that cannot be used, and ends with its status", async () => {
		writeFileSync(join(pictures, "b.png"), "not a picture");
		const { error, status, calls, words } = await run([pictures, "--json"]);
		expect([error, status, calls]).toEqual([undefined, 2, "1212"]);
		const events = words
			.trim()
			.split("\n")
			.filter((text) => text.startsWith("{"))
			.map((text) => JSON.parse(text));
		expect(events.filter(({ event }) => event === "picture").map(({ index }) => index)).toEqual([0, 1, 2]);
		expect(events.find(({ event }) => event === "error")).toMatchObject({ code: "input", exitStatus: 2 });
		expect(events.at(-1)).toEqual({ event: "finished", pictures: 3, failed: 1 });
	});

	it("stops where every picture would fail, or the user stops it", async () => {
		const lost = await run([pictures], () => {
			throw new SyncHumanError("device", "The GPU device was lost.");
		});
		expect([lost.status, lost.calls]).toEqual([3, "1"]);
		const stopped = await run([pictures], (_, call) => {
			if (call === 3) throw new SyncHumanError("aborted", "The run was stopped.");
		});
		expect([stopped.status, stopped.calls]).toEqual([130, "121"]);
	});

	it("with --resume does what is left", async () => {
		const stop = (_: string, call: number) => {
			if (call === 4) throw new SyncHumanError("aborted", "The run was stopped.");
		};
		await run([pictures], stop);
		const rest = await run([pictures, "--resume"]);
		expect([rest.status, rest.calls]).toEqual([0, "212"]);
		expect(rest.words).toMatch(/there already[\s\S]*stage 1 is there already/);
		expect(record("b")).toMatchObject({ stages: ["2"], stageOneRun: { stages: ["1"] } });
		expect((await run([pictures, "--resume"])).calls).toBe("");
		// Other choices, another picture: done again.
		expect((await run([join(pictures, "a.png"), pictures, "--resume", "--seed", "1"])).error).toMatchObject({ code: "input" });
		expect((await run([pictures, "--resume", "--stage2-steps", "3"])).calls).toBe("222");
		expect((await run([pictures, "--resume", "--seed", "1"])).calls).toBe("121212");
		const other = { ...stageOneResult().input, data: stageOneResult().input.data.map((value, i) => (i % 4 === 3 ? value : value ^ 1)) };
		writeFileSync(join(pictures, "c.png"), await encodePng(other));
		expect((await run([pictures, "--resume", "--seed", "1"])).calls).toBe("12");
	});

	it("leaves a single picture as it was: its folder is DIR, its error is the run's", async () => {
		const one = await run([join(pictures, "a.png")]);
		expect([one.error, existsSync(join(output, "run.json"))]).toEqual([undefined, true]);
		expect((await run([join(pictures, "none.png")])).error).toMatchObject({ code: "input" });
	});
});

describe("pictureTargets", () => {
	it("names folders after pictures, with the ending where that alone differs", async () => {
		const outputs = async (...operands: string[]) => (await pictureTargets(operands, "o")).map((target) => target.output);
		expect(await outputs("x/a.png", "y/b.jpg")).toEqual([join("o", "a"), join("o", "b")]);
		expect(await outputs("a.png", "a.jpg")).toEqual([join("o", "a.png"), join("o", "a.jpg")]);
		await expect(outputs("x/a.png", "y/a.png")).rejects.toMatchObject({ code: "input", message: "Two pictures are called a.png." });
		rmSync(pictures, { recursive: true });
		mkdirSync(pictures);
		await expect(outputs(pictures)).rejects.toMatchObject({ code: "input", message: expect.stringContaining("has no PNG") });
	});
});

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { validateBytes } from "gltf-validator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCommandLine } from "../../runners/arguments.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { reconstruct } from "../../runners/reconstruct.ts";
import { reconstructArguments } from "../../runners/reconstructArguments.ts";
import { testDevice } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";
import { mannequinViews } from "../support/mannequin.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-reconstruct-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(argv: readonly string[]) {
	const [written, said]: string[][] = [[], []];
	const error = await failureOf(() =>
		reconstruct(reconstructArguments(parseCommandLine(["reconstruct", ...argv])), {
			openDevice: () => testDevice(),
			effort: { visibilityViews: 30, visibilitySize: 256, viewSize: 64, fitSteps: 5 },
			out: (text) => written.push(text),
			say: (text) => said.push(text),
			terminal: false,
			signal: new AbortController().signal,
		}),
	);
	return { error, out: written.join(""), said: said.join("") };
}

describe("reconstruct", () => {
	it("writes a valid output.glb and run.json from a folder of views", async () => {
		const { colors, normals } = mannequinViews(64);
		for (const [i, image] of colors.entries()) writeFileSync(join(folder, `color_${i}.png`), await encodePng(image));
		for (const [i, image] of normals.entries()) writeFileSync(join(folder, `normal_${i}.png`), await encodePng(image));
		const output = join(folder, "out");
		const { error, out, said } = await run([folder, "-o", output, "--texture-size", "512"]);
		expect(error).toBeUndefined();
		expect(out.split("\n")).toContain(join(output, "output.glb"));
		expect(readdirSync(output)).toEqual(expect.arrayContaining(["output.glb", "preview.png", "run.json"]));
		expect(said).toContain("reconstruction: at most");
		const record = JSON.parse(readFileSync(join(output, "run.json"), "utf8"));
		expect(record).toMatchObject({ views: { size: 64 }, seed: 43, textureSize: 512, resolution: 32, simplify: 0.3 });
		expect(record.parts.map(({ part }: { part: string }) => part).slice(0, 3)).toEqual(["depths", "surface", "refinement"]);
		const { issues } = await validateBytes(readFileSync(join(output, "output.glb")));
		expect([issues.numErrors, issues.numWarnings, issues.numInfos]).toEqual([0, 0, 0]);
	});

	it("names the picture that is missing or of another size, before a GPU is opened", async () => {
		cpSync("test/fixtures/mannequin", folder, { recursive: true });
		rmSync(join(folder, "normal_2.png"));
		const output = join(folder, "out");
		expect(((await run([folder, "-o", output])).error as Error).message).toBe(`${join(folder, "normal_2.png")}: there is no such file.`);
		writeFileSync(join(folder, "normal_2.png"), await encodePng(mannequinViews(16).normals[2]));
		expect(((await run([folder, "-o", output])).error as Error).message).toBe(
			`${join(folder, "normal_2.png")}: has 16 x 16 pixels; all views must be squares of one size, 192 x 192.`,
		);
	});

	it("asks for a folder and an output", async () => {
		expect(() => reconstructArguments(parseCommandLine(["reconstruct", "-o", "x"]))).toThrow("VIEWS_DIR is missing.");
		expect(() => reconstructArguments(parseCommandLine(["reconstruct", "a"]))).toThrow("-o DIR is missing.");
		expect(reconstructArguments(parseCommandLine(["reconstruct", "a", "-o", "b"]))).toMatchObject({ textureSize: 1024, views: "a" });
	});
});

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeights, syntheticSize } from "../../runners/openWeights.ts";
import { synthesize } from "../../runners/synthesize.ts";
import { failureOf } from "../support/hostile.ts";

let folder: string;
let tiny: string;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-weights-"));
	tiny = join(folder, "tiny");
	await synthesize("tiny", tiny);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every file that a run reads. */
const filesOf = (root: string) =>
	readdirSync(root, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map(({ parentPath, name }) => join(parentPath, name))
		.sort();

/** Numbers in [0, 1), the same at every run. */
function* random(): Generator<number, never> {
	for (let state = 12345; ; ) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		yield state / 2 ** 32;
	}
}

describe("openWeights", () => {
	it("opens a whole folder, and records what it read", async () => {
		const weights = await openWeights(tiny, ["1", "2"]);
		expect((await weights.files()).map(({ name }) => join(tiny, name))).toEqual(filesOf(tiny));
	});

	it("names the file that is cut, whichever it is and wherever it ends: 50 points", async () => {
		const numbers = random();
		const files = filesOf(tiny);
		expect(files.length).toBe(21);
		for (let point = 0; point < 50; point++) {
			const file = files[point % files.length];
			const whole = readFileSync(file);
			const length = Math.floor(numbers.next().value * whole.length);
			truncateSync(file, length);
			const error = await failureOf(() => openWeights(tiny, ["1", "2"]));
			writeFileSync(file, whole);
			expect(error, `${file} cut to ${length} of ${whole.length} bytes`).toMatchObject({ code: "checkpoint" });
			expect((error as Error).message.startsWith(`${file}: `), (error as Error).message).toBe(true);
		}
	});

	it("names the file that is missing", async () => {
		for (const file of filesOf(tiny)) {
			// The official sizes hold where there is no engine.json: then the weights do not fit.
			const expected = file.endsWith("engine.json") ? /does not fit its config|model_channels/ : /missing|is not a SyncHuman checkpoint/;
			const whole = readFileSync(file);
			rmSync(file);
			const error = await failureOf(() => openWeights(tiny, ["1", "2"]));
			writeFileSync(file, whole);
			expect(error, file).toMatchObject({ code: "checkpoint", message: expect.stringMatching(expected) });
		}
	});

	it("reads only what its stages need", async () => {
		const first = join(folder, "first");
		cpSync(join(tiny, "OneStage"), join(first, "OneStage"), { recursive: true });
		for (const name of readdirSync(tiny).filter((name) => statSync(join(tiny, name)).isFile())) cpSync(join(tiny, name), join(first, name));
		await openWeights(first, ["1"]);
		expect(await failureOf(() => openWeights(first, ["1", "2"]))).toMatchObject({
			code: "checkpoint",
			message: expect.stringMatching(/SecondStage\/pipeline\.json: is missing/),
		});
	});

	it("knows synthetic checkpoints by name", async () => {
		expect(syntheticSize("synthetic:full")).toBe("full");
		expect(syntheticSize("ckpts")).toBeUndefined();
		const weights = await openWeights("synthetic:tiny", ["1", "2"]);
		expect(weights).toMatchObject({ name: "synthetic:tiny", synthetic: true });
		expect(await weights.files()).toEqual([]);
		await expect(openWeights("synthetic:", ["1"])).rejects.toMatchObject({ code: "checkpoint" });
	});
});

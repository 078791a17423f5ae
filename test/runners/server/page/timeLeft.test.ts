import { describe, expect, it } from "vitest";
import { type EndedRun, expectedParts, phaseOf, phases, standing, timeText } from "../../../../runners/server/page/timeLeft.ts";

const options = { stage1_steps: 50, stage2_steps: 25, seed: 1, texture_size: 1024 };
const part = (name: string, computeSeconds: number) => ({ part: name, loadSeconds: 0.5, compileSeconds: 0.25, computeSeconds });
const run: EndedRun = {
	parts: [part("picture encoding", 0.25), part("diffusion", 19.25), part("latent flow", 1.25), part("texture fit", 6.25)],
	steps: 100,
	stageTwoSteps: 50,
};

describe("time left", () => {
	it("every phase has parts of its own", () => {
		expect(phases.map(({ parts }) => phaseOf(parts[0]))).toEqual([0, 1, 2, 3]);
		expect(phaseOf("something new")).toBe(0);
		const all = phases.flatMap(({ parts }) => [...parts] as string[]);
		expect(new Set(all).size).toBe(all.length);
	});

	it("is what the last run took, by the steps of this one", () => {
		expect(expectedParts({ options, stage: "both" }, run)).toEqual([
			{ part: "picture encoding", seconds: 1 },
			{ part: "diffusion", seconds: 10 },
			{ part: "latent flow", seconds: 1 },
			{ part: "texture fit", seconds: 7 },
		]);
		expect(expectedParts({ options, stage: "stage1" }, run).map((one) => one.part)).toEqual(["picture encoding", "diffusion"]);
		expect(expectedParts({ options, stage: "stage2" }, run).map((one) => one.part)).toEqual(["latent flow", "texture fit"]);
		expect(expectedParts({ options: { ...options, texture_size: 0 }, stage: "stage2" }, run).map((one) => one.part)).toEqual([
			"latent flow",
		]);
	});

	it("believes the part that runs, and what the others took", () => {
		const progress = { part: "diffusion", step: 20, steps: 50, elapsed_ms: 8000, eta_ms: 12_000, views: null };
		const expected = expectedParts({ options, stage: "both" }, run);
		expect(standing(progress, expected, true)).toEqual({ share: 5 / 19, phaseShare: 0.4, secondsLeft: 12 + 8 });
		// Twice as slow as a card that was not this one: so is the rest.
		expect(standing(progress, expected, false)).toEqual({ share: 5 / 19, phaseShare: 0.4, secondsLeft: 12 + 16 });
		expect(standing({ ...progress, part: "picture encoding", eta_ms: null, step: 0, steps: 1 }, expected, false)).toEqual({
			share: 0,
			phaseShare: 0,
			secondsLeft: undefined,
		});
		expect(standing({ ...progress, part: "something new" }, expected, true)).toEqual({ share: 0, phaseShare: 0, secondsLeft: undefined });
	});

	it("knows a typical run before the first one, in order", () => {
		const expected = expectedParts({ options, stage: "both" }, undefined);
		const order = expected.map((one) => phaseOf(one.part));
		expect(order).toEqual([...order].sort());
		expect(new Set(order)).toEqual(new Set([0, 1, 2, 3]));
	});

	it("is said in words", () => {
		expect([1, 3, 42, 61, 5400].map(timeText)).toEqual([
			"a moment left",
			"about 5 s left",
			"about 45 s left",
			"about 2 min left",
			"about 1.5 h left",
		]);
	});
});

import { describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { reportError } from "../../runners/errorReport.ts";
import { infoText } from "../../runners/info.ts";
import { bytesText, planText } from "../../runners/planText.ts";
import { stubReport } from "../support/stubEngine.ts";

function shown(error: unknown, json = false) {
	const texts = { out: "", say: "" };
	const write = (where: "out" | "say") => (text: string) => {
		texts[where] += text;
	};
	return { status: reportError(error, { json, out: write("out"), say: write("say") }), ...texts };
}

describe("reportError", () => {
	it("gives a line and a hint, and the exit status of the class", () => {
		expect(shown(new SyncHumanError("disk", "out: the disk\n  is full.", "Free\nsome."))).toEqual({
			status: 5,
			out: "",
			say: "synchuman: out: the disk is full.\n  Free some.\n",
		});
		const statuses = (["input", "device", "memory", "checkpoint", "disk", "aborted"] as const).map(
			(code) => shown(new SyncHumanError(code, "x")).status,
		);
		expect(statuses).toEqual([2, 3, 3, 4, 5, 130]);
	});

	it("adds a JSON line for programs", () => {
		const { out } = shown(new SyncHumanError("input", "no picture"), true);
		expect(JSON.parse(out)).toEqual({ event: "error", code: "input", message: "no picture", hint: null, exitStatus: 2 });
		expect(JSON.parse(shown(new TypeError("a bug"), true).out)).toMatchObject({ event: "error", code: "internal", exitStatus: 1 });
	});

	it("shows the stack of a mistake in the program", () => {
		const { status, say } = shown(new TypeError("a bug"));
		expect(status).toBe(1);
		expect(say).toMatch(/mistake in the program.*\nTypeError: a bug\n +at /);
		expect(shown("text").status).toBe(1);
	});
});

describe("texts", () => {
	it("has bytes for people", () => {
		expect([0, 1, 2048, 1.5 * 2 ** 20, 12.34 * 2 ** 30].map(bytesText)).toEqual(["0 KiB", "1 KiB", "2 KiB", "1.5 MiB", "12.3 GiB"]);
	});

	it("has the plan of a stage in a line", () => {
		const parts = [
			{ part: "one", bytes: 2 ** 30 },
			{ part: "two", bytes: 2 ** 20 },
		];
		expect(planText({ stage: "stage 2", parts, heldBytes: 2 ** 29, residentBytes: 0, peakBytes: 1.5 * 2 ** 30 })).toBe(
			"stage 2: at most 1.5 GiB of GPU memory (one 1.0 GiB, two 1.0 MiB)",
		);
	});

	it("has what a GPU can do", () => {
		const text = infoText({ ...stubReport, adapters: ["a card"] });
		expect(text).toMatch(/^adapter {17}a card\n/);
		expect(text).toContain("subgroup matrices       f16->f32 16x16x16\n");
		expect(infoText({ ...stubReport, software: true, f16: false, adapters: [] })).toMatch(/software: for tests[\s\S]*shader-f16 {14}no/);
	});
});

import { expect, it } from "vitest";
import { progressReporter } from "../../runners/progressLine.ts";

const progress = (part: string, step: number, steps: number, elapsedMs: number, etaMs?: number) => ({
	part,
	step,
	steps,
	elapsedMs,
	etaMs,
});

function shown(output: { json?: boolean; terminal?: boolean }): string {
	let text = "";
	const reporter = progressReporter({
		json: false,
		terminal: false,
		...output,
		write: (more) => {
			text += more;
		},
	});
	reporter.report(progress("encoding", 0, 1, 0));
	reporter.report(progress("encoding", 1, 1, 1200));
	reporter.report(progress("encoding", 1, 1, 1300));
	reporter.report(progress("diffusion", 0, 1, 0));
	reporter.report(progress("diffusion", 1, 4, 2000, 6000));
	reporter.end();
	reporter.end();
	return text;
}

it("writes a line when a part begins and one when it has ended", () => {
	expect(shown({})).toBe("encoding ...\nencoding: 1.3 s\ndiffusion ...\n");
});

it("rewrites a bar on a terminal", () => {
	const lines = shown({ terminal: true }).split("\n");
	expect(lines.length).toBe(3);
	expect(lines[0].split("\r\x1b[2K").at(-1)).toBe(`encoding               [${"#".repeat(24)}] 1.3 s`);
	expect(lines[1].split("\r\x1b[2K").at(-1)).toBe(`diffusion              [${"#".repeat(6)}${".".repeat(18)}] 1/4 2.0 s, 6 s left`);
});

it("writes JSON lines", () => {
	const events = shown({ json: true }).trim().split("\n");
	expect(events.length).toBe(5);
	expect(JSON.parse(events[4])).toEqual({ event: "progress", part: "diffusion", step: 1, steps: 4, elapsedMs: 2000, etaMs: 6000 });
});

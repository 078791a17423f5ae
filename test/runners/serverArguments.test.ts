import { expect, it } from "vitest";
import { parseCommandLine } from "../../runners/arguments.ts";
import { serverArguments } from "../../runners/serverArguments.ts";
import { failureOf } from "../support/hostile.ts";

const read = (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
	const { operands, values } = parseCommandLine(["serve", ...argv]);
	return serverArguments({ operands, values }, environment);
};

it("listens on this machine alone, with everything else closed, unless told otherwise", () => {
	expect(read([])).toMatchObject({
		...{ host: "127.0.0.1", port: 8000, token: undefined, origins: [], allowUrl: false, preload: false, maxQueue: 16 },
		...{ maxUpload: 64e6, keepMs: 86_400_000, keepBytes: 10e9, runMs: 3_600_000, graceMs: 30_000, weights: "ckpts" },
	});
});

it("reads every option, and PORT and SYNCHUMAN_TOKEN", () => {
	expect(read([], { PORT: "9000", SYNCHUMAN_TOKEN: "secret" })).toMatchObject({ port: 9000, token: "secret" });
	expect(read(["--port", "1", "--token", "t"], { PORT: "9000", SYNCHUMAN_TOKEN: "secret" })).toMatchObject({ port: 1, token: "t" });
	expect(
		read([
			"--cors",
			"https://a.example, http://b.example:8080",
			"--keep-hours",
			"0.5",
			"--keep-size",
			"1MB",
			"--job-minutes",
			"2",
			"--allow-url",
		]),
	).toMatchObject({
		origins: ["https://a.example", "http://b.example:8080"],
		keepMs: 1_800_000,
		keepBytes: 1e6,
		runMs: 120_000,
		allowUrl: true,
	});
});

it("refuses values that cannot be", async () => {
	for (const argv of [
		["folder"],
		["--port", "70000"],
		["--max-queue", "0"],
		["--cors", "a.example"],
		["--cors", "https://a.example/x"],
		["--dtype", "f8"],
	]) {
		expect(await failureOf(() => read(argv)), argv.join(" ")).toMatchObject({ code: "input" });
	}
});

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { DocumentedShell } from "../support/documentedCommands.ts";
import { documentTests } from "../support/documentTests.ts";
import { bundle } from "../support/program.ts";

// The same sources under Deno. Deno comes from npm, into .cache/deno and not into node_modules, where its name would shadow the command of that name
// in `deno task`. A machine that cannot have it skips these tests and says so.

const place = resolve(".cache/deno");
const deno = join(place, "node_modules/.bin/deno");
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_") && !name.startsWith("VITEST")));

function run(command: string, argv: readonly string[]) {
	const { status, stdout, stderr } = spawnSync(command, argv, { env: { ...plain, NO_COLOR: "1" }, encoding: "utf8", maxBuffer: 1 << 26 });
	return { status, text: `${stdout}${stderr}` };
}

beforeAll(() => {
	if (existsSync(deno)) return;
	mkdirSync(place, { recursive: true });
	const made = run("npm", ["install", "--prefix", place, "--no-save", "--prefer-offline", "--no-audit", "--no-fund", "deno@2"]);
	if (made.status !== 0) console.warn(`deno: not to be had here: ${made.text}`);
}, 300_000);

it("runs the tests of kernels, weights and samplers", { timeout: 900_000 }, ({ skip }) => {
	if (!existsSync(deno)) skip("no Deno");
	const vitest = ["run", "-A", "node_modules/vitest/vitest.mjs", "run"];
	// Compiles shaders in a child with Node's own arguments: not a matter of the runtime.
	const { status, text } = run(deno, [
		...vitest,
		"test/kernels",
		"test/weights",
		"test/samplers",
		"--exclude",
		"**/subgroupMatrix.test.ts",
	]);
	expect(status, text).toBe(0);
	expect(text).toMatch(/Tests +\d+ passed/);
});

describe("the documented commands", () => {
	let shell: DocumentedShell;
	beforeAll(async () => {
		bundle();
		shell = new DocumentedShell(deno);
		writeFileSync(join(shell.folder, "photo.png"), await encodePng(samplePerson()));
	});
	afterAll(() => shell.close());
	beforeEach(({ skip }) => {
		if (!existsSync(deno)) skip("no Deno");
	});
	documentTests(
		"docs/deno.md",
		() => shell,
		(command, { stdout }) => {
			if (command.includes("doctor")) expect(stdout).toMatch(/runtime +Deno 2/);
			if (command.includes("generate")) expect(existsSync(join(shell.folder, "out", "photo", "stage2", "output.glb"))).toBe(true);
			if (command.includes("/health")) expect(JSON.parse(stdout)).toMatchObject({ status: "ok" });
		},
	);
});

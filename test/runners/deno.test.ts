import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, expect, it } from "vitest";

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

it("runs tests of kernels, weights and samplers", { timeout: 300_000 }, ({ skip }) => {
	if (!existsSync(deno)) skip("no Deno");
	const kernels = ["layerNorm", "groupNorm", "softmax", "rmsNorm", "gatherRows"].map((name) => `test/kernels/dense/${name}.test.ts`);
	const { status, text } = run(deno, [
		"run",
		"-A",
		"node_modules/vitest/vitest.mjs",
		"run",
		...kernels,
		"test/weights/npy.test.ts",
		"test/samplers",
	]);
	expect(status, text).toBe(0);
	expect(text).toMatch(/Tests +\d+ passed/);
});

it("finds the machine fit, and runs every network of the demo", { timeout: 600_000 }, ({ skip }) => {
	if (!existsSync(deno)) skip("no Deno");
	const doctor = run(deno, ["task", "doctor", "--weights", "synthetic:tiny", "--adapter", "software"]);
	expect(doctor.status, doctor.text).toBe(0);
	expect(doctor.text).toMatch(/runtime +Deno 2/);
	const output = mkdtempSync(join(tmpdir(), "synchuman-deno-"));
	try {
		const few = ["--steps", "1", "--stage2-steps", "1", "--texture-size", "0", "--no-preview"];
		const demo = run(deno, ["task", "demo", "-o", output, ...few]);
		expect(demo.status, demo.text).toBe(0);
		expect(existsSync(join(output, "stage2", "output.glb"))).toBe(true);
	} finally {
		rmSync(output, { recursive: true, force: true });
	}
});

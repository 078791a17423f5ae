import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../runners/imageFile.ts";
import { stageOneResult } from "../support/stageResults.ts";

// The package as users get it: packed, installed into an empty folder, and used there as README says.

interface Packed {
	readonly filename: string;
	readonly size: number;
	readonly files: readonly { readonly path: string }[];
}

const folder = mkdtempSync(join(tmpdir(), "synchuman-pack-"));
/** The empty folder with the package installed. */
const place = join(folder, "empty");
let packed: Packed;

function run(command: string, argv: readonly string[], cwd = place) {
	// npm's own settings of the run that started the tests are not the user's.
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
	const { status, stdout, stderr } = spawnSync(command, argv, { cwd, env, encoding: "utf8", maxBuffer: 1 << 26 });
	return { status, stdout, stderr };
}

beforeAll(async () => {
	const made = run("npm", ["pack", "--json", "--pack-destination", folder], resolve("."));
	expect(made.status, made.stderr).toBe(0);
	const answer = JSON.parse(made.stdout.slice(made.stdout.search(/^[[{]/m)));
	[packed] = Object.values(answer) as Packed[];
	mkdirSync(place);
	const installed = run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `../${packed.filename}`]);
	expect(installed.status, installed.stderr).toBe(0);
	writeFileSync(join(place, "person.png"), await encodePng(stageOneResult().input));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
	it("holds what runs, its types and its papers, in the size that README states", () => {
		const program = /^(dist\/(cli|index|\w+Worker)\.js|dist\/types\/.*\.d\.ts|dist\/page\/.*|package\.json|LICENSE|NOTICE)$/;
		const papers = /^((README|CHANGELOG|docs\/[\w-]+)\.md|docs\/[\w-]+\.(png|webp|svg)|examples\/\w+\.(mjs|ts))$/;
		const named = /^runners\/(library\.ts|parity\/bounds\.ts|results\/[\w-]+\.csv)$/;
		const names = packed.files.map(({ path }) => path);
		expect(names.filter((name) => ![program, papers, named].some((kind) => kind.test(name)))).toEqual([]);
		for (const name of [
			"dist/cli.js",
			"dist/index.js",
			"dist/finishWorker.js",
			"dist/types/runners/library.d.ts",
			"CHANGELOG.md",
			"NOTICE",
		]) {
			expect(names).toContain(name);
		}
		const [, stated] = /the package itself has less than (\d+) MB/.exec(readFileSync("README.md", "utf8")) ?? expect.fail("README");
		expect(packed.size).toBeLessThan(Number(stated) * 1e6);
	});

	it("has what its papers link to", () => {
		const inside = join(place, "node_modules", "synchuman-webgpu");
		const papers = packed.files.map(({ path }) => path).filter((path) => path.endsWith(".md"));
		expect(papers).toContain("docs/install.md");
		const missing = papers.flatMap((paper) =>
			[...readFileSync(join(inside, paper), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)]
				.filter(([, target]) => !existsSync(join(inside, dirname(paper), target)))
				.map(([, target]) => `${paper}: ${target}`),
		);
		expect(missing).toEqual([]);
	});

	it("has a command", () => {
		const version = run("npx", ["--no-install", "synchuman", "--version"]);
		expect(version.stdout.trim(), version.stderr).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
		const doctor = run("npx", ["--no-install", "synchuman", "doctor", "--weights", "synthetic:tiny", "--adapter", "software"]);
		expect(doctor.status, doctor.stdout + doctor.stderr).toBe(0);
	});

	it("has types", () => {
		writeFileSync(
			join(place, "use.mts"),
			`import { chooseDevice, openPshumanWeights, openWeights, PsHuman, type PshumanPictures, type StageOneResult, SyncHuman } from "synchuman-webgpu";
const device = await chooseDevice({});
const limit: number = device.gpu.limits.maxBufferSize;
const engine: SyncHuman = await SyncHuman.open({ device, weights: (await openWeights("ckpts", ["1"])).checkpointFor(device), maxMemory: limit });
const one: StageOneResult = await engine.stageOne({ width: 1, height: 1, channels: 4, data: new Uint8Array(4) }, { seed: 1 });
const views: PsHuman = await PsHuman.open({ device, weights: (await openPshumanWeights("ckpts")).checkpointFor(device) });
const pictures: PshumanPictures = await views.views(one.input, { eta: 0, onProgress: ({ part }) => void part.length });
await views.body(pictures, { finish: undefined });
// @ts-expect-error a text is no seed
await engine.stageOne(one.input, { seed: "1" });
`,
		);
		const compiler = resolve("node_modules/typescript/bin/tsc");
		for (const lib of ["es2023", "es2023,dom"]) {
			const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--lib", lib, "--types", "", "--skipLibCheck"];
			const checked = run(process.execPath, [compiler, ...options, "use.mts"]);
			expect(checked.stdout + checked.stderr).not.toMatch(/error TS/);
			expect(checked.status).toBe(0);
		}
	});

	it("serves the example of PSHuman's views", () => {
		copyFileSync("examples/pshuman.mjs", join(place, "pshuman.mjs"));
		const example = run(process.execPath, ["pshuman.mjs", "person.png", "views", "synthetic:tiny", "software"]);
		expect(example.status, example.stderr).toBe(0);
		expect(example.stdout.trim()).toBe("views/output.glb");
		expect(existsSync(join(place, "views", "normal_front_left.png"))).toBe(true);
	}, 600_000);

	// 45 s of a core each, with the driver's shader cache cold.
	it("serves the example for Node, and goes on from its files", () => {
		copyFileSync("examples/node.mjs", join(place, "node.mjs"));
		const example = run(process.execPath, ["node.mjs", "person.png", "out", "synthetic:tiny", "software"]);
		expect(example.status, example.stderr).toBe(0);
		expect(example.stdout.trim().split("\n")).toEqual(["out/stage2/output.glb", "out/stage2/gaussians.ply"]);
		const choices = ["--weights", "synthetic:tiny", "--adapter", "software", "--stage2-steps", "1", "--texture-size", "0", "--no-preview"];
		const again = run("npx", ["--no-install", "synchuman", "generate", "-o", "out", "--stage", "2", ...choices]);
		expect(again.status, again.stderr).toBe(0);
		expect(existsSync(join(place, "out", "run.json"))).toBe(true);
	}, 600_000);
});

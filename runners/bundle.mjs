// Bundles the runners for plain Node (which cannot run TypeScript before 24) into dist/, with every shader's text inside. Packages
// stay outside and are imported from node_modules.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const project = dirname(dirname(fileURLToPath(import.meta.url)));

/** dist/<name>.js: the module whose loading is the program. */
const programs = {
	cli: "runners/cli.ts",
	finishWorker: "runners/finishWorker.ts",
	engineWorker: "runners/engineWorker.ts",
	parity: "runners/parity/index.ts",
	bench: "runners/bench.ts",
	checkReconstruction: "runners/checkReconstruction.ts",
	runTests: "runners/runTests.ts",
};
for (const [name, source] of Object.entries(programs)) if (!existsSync(join(project, source))) delete programs[name];

/** Texts of shaders/**.wgsl by path without the ending, such as "dense/layerNorm". */
function shaderTexts() {
	const folder = join(project, "shaders");
	const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".wgsl"));
	return Object.fromEntries(
		names.sort().map((name) => [name.replaceAll("\\", "/").slice(0, -".wgsl".length), readFileSync(join(folder, name), "utf8")]),
	);
}

/** The commit that is bundled, for run.json; undefined outside a checkout. */
function commit() {
	const git = (...args) => spawnSync("git", args, { cwd: project, encoding: "utf8" });
	const head = git("rev-parse", "HEAD");
	if (head.status !== 0 || !existsSync(join(project, ".git"))) return undefined;
	return head.stdout.trim() + (git("status", "--porcelain", "--untracked-files=no").stdout === "" ? "" : "+changes");
}

/** A program's entry registers the shaders, then loads the program; the library's does the same for whoever imports it. */
const entries = {
	name: "entries",
	setup(builder) {
		builder.onResolve({ filter: /^(program|library|shaders):/ }, ({ path }) => ({ path, namespace: "entry" }));
		builder.onLoad({ filter: /^program:/, namespace: "entry" }, ({ path }) => ({
			contents: `process.setSourceMapsEnabled(true); import "shaders:"; import "./${path.slice("program:".length)}";`,
			resolveDir: project,
		}));
		builder.onLoad({ filter: /^library:/, namespace: "entry" }, ({ path }) => ({
			contents: `import "shaders:"; export * from "./${path.slice("library:".length)}";`,
			resolveDir: project,
		}));
		builder.onLoad({ filter: /^shaders:/, namespace: "entry" }, () => ({
			contents: `import { registerShaders } from "./engine/gpu/shaderSource.ts";
registerShaders(${JSON.stringify(shaderTexts())});`,
			resolveDir: project,
		}));
	},
};

const options = {
	plugins: [entries],
	outdir: join(project, "dist"),
	bundle: true,
	packages: "external",
	define: { "process.env.SYNCHUMAN_COMMIT": JSON.stringify(commit()) ?? "undefined" },
	platform: "node",
	target: "node20",
	format: "esm",
	sourcemap: true,
	sourcesContent: false,
	logLevel: "warning",
};
await build({
	...options,
	entryPoints: Object.entries(programs).map(([name, source]) => ({ in: `program:${source}`, out: name })),
	banner: { js: "#!/usr/bin/env node" },
});
await build({ ...options, entryPoints: [{ in: "library:runners/library.ts", out: "index" }] });
for (const name of Object.keys(programs)) chmodSync(join(project, "dist", `${name}.js`), 0o755);
// What `synchuman serve` gives browsers: everything they load is in dist/page, three.js and the viewer in a file that is fetched with the first model.
const pageSources = join(project, "runners", "server", "page");
const page = join(project, "dist", "page");
cpSync(pageSources, page, { recursive: true, filter: (name) => !/\.(ts|json)$/.test(name) });
const made = await build({
	entryPoints: { page: join(pageSources, "main.ts"), docs: join(pageSources, "docs.ts") },
	outdir: page,
	chunkNames: "[name]",
	// The page's rules forbid WebAssembly, which the other decoder is written in.
	alias: { "meshoptimizer/decoder": join(project, "node_modules", "meshoptimizer", "meshopt_decoder_reference.js") },
	bundle: true,
	splitting: true,
	minify: true,
	legalComments: "inline",
	platform: "browser",
	target: "es2022",
	format: "esm",
	metafile: true,
	logLevel: "warning",
});
// What an earlier bundling left; not all before, as a server may be reading.
const whole = new Set([...Object.keys(made.metafile.outputs).map((name) => basename(name)), ...readdirSync(pageSources)]);
for (const name of readdirSync(page)) if (!whole.has(name)) rmSync(join(page, name));

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Device, openDevice } from "../../engine/gpu/device.ts";
import { directoryFolder } from "../files.ts";
import { openGpu } from "../openGpu.ts";
import type { Adapter, Adapters } from "./adapter.ts";
import { contextOf, loadCase } from "./case.ts";
import { changedFiles, importClosure } from "./changed.ts";
import { countDispatches } from "./dispatchCounter.ts";
import { runCase } from "./runCase.ts";

// Compares our modules with golden cases (the folders of ../shared/goldens). Adapters are the files of adapters/: each exports
// `adapters`, from case name to Adapter; a new file is found without being registered anywhere.

const usage = `npm run parity -- CASE_DIR... [--dtype f32|f16] [--changed] [--prompt-embeds DIR] [--adapter NAME] [--verbose]
  --changed        only cases whose adapter, or anything it imports, differs from the commit before the last or is not committed
  --prompt-embeds  folder with normal_embeds.pt and clr_embeds.pt, for the case prompt_embeds
  --adapter        part of a GPU's name, such as llvmpipe
  --verbose        where an error came from, too`;

const folderOfAdapters = "runners/parity/adapters";

type Outcome = "passed" | "failed" | "skipped";

interface Options {
	readonly directories: readonly string[];
	readonly dtype: "f16" | "f32";
	readonly changed: boolean;
	readonly promptEmbeds: string | undefined;
	readonly adapterName: string | undefined;
	readonly verbose: boolean;
}

function readOptions(): Options {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			dtype: { type: "string", default: "f32" },
			changed: { type: "boolean", default: false },
			"prompt-embeds": { type: "string" },
			adapter: { type: "string" },
			verbose: { type: "boolean", default: false },
			help: { type: "boolean", default: false },
		},
	});
	const { dtype } = values;
	if ((dtype !== "f32" && dtype !== "f16") || values.help || positionals.length === 0) throw new Error(usage);
	return {
		directories: positionals,
		dtype,
		changed: values.changed,
		promptEmbeds: values["prompt-embeds"],
		adapterName: values.adapter,
		verbose: values.verbose,
	};
}

interface RegisteredAdapter {
	readonly file: string;
	readonly adapter: Adapter;
}

async function loadAdapters(): Promise<Map<string, RegisteredAdapter>> {
	const registered = new Map<string, RegisteredAdapter>();
	const files = readdirSync(folderOfAdapters).filter((file) => file.endsWith(".ts"));
	for (const file of files.sort()) {
		const { adapters } = (await import(`./adapters/${file.slice(0, -3)}.ts`)) as { adapters: Adapters };
		for (const [name, adapter] of Object.entries(adapters)) {
			const other = registered.get(name)?.file;
			if (other !== undefined) throw new Error(`parity: case ${name} has an adapter in ${other} and in ${file}`);
			registered.set(name, { file: join(folderOfAdapters, file), adapter });
		}
	}
	return registered;
}

/** The device of all cases, opened when the first one asks, and the count of its dispatches. */
function lazyDevice(adapterName: string | undefined) {
	let device: Promise<Device> | undefined;
	let dispatches: { readonly count: number } = { count: 0 };
	return {
		open() {
			device ??= (async () => {
				const gpu = await openGpu(adapterName === undefined ? {} : { adapterName });
				dispatches = countDispatches();
				const opened = await openDevice(gpu, { allowSoftware: true });
				console.log(`on ${opened.report.adapter} (${opened.report.driver})`);
				return opened;
			})();
			return device;
		},
		dispatchCount: () => dispatches.count,
		async close() {
			(await device)?.close();
		},
	};
}

async function main(): Promise<number> {
	const options = readOptions();
	const adapters = await loadAdapters();
	const changed = options.changed ? changedFiles(".") : undefined;
	const device = lazyDevice(options.adapterName);
	const outcomes: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 };
	for (const directory of options.directories) {
		try {
			outcomes[await oneCase(directory, options, adapters, changed, device)]++;
		} catch (error) {
			outcomes.failed++;
			console.log(`FAIL ${directory}: ${error instanceof Error ? error.message : error}`);
			if (options.verbose) console.log(error);
		}
	}
	await device.close();
	console.log(`${outcomes.passed} passed, ${outcomes.failed} failed, ${outcomes.skipped} skipped`);
	return outcomes.failed === 0 ? 0 : 1;
}

async function oneCase(
	directory: string,
	options: Options,
	adapters: ReadonlyMap<string, RegisteredAdapter>,
	changed: ReadonlySet<string> | undefined,
	device: ReturnType<typeof lazyDevice>,
): Promise<Outcome> {
	const golden = await loadCase(directory);
	const skip = (reason: string): Outcome => {
		console.log(`skip ${golden.name}: ${reason}`);
		return "skipped";
	};
	if (golden.name === "mv_transformer_block_cdmid") return skip("not used by the release");
	if (golden.name === "prompt_embeds" && options.promptEmbeds === undefined) return skip("needs --prompt-embeds DIR");
	const registered = adapters.get(golden.name);
	if (registered === undefined) throw new Error(`unknown case "${golden.name}": no file of ${folderOfAdapters} has an adapter for it`);
	if (changed !== undefined) {
		const closure = importClosure(".", registered.file);
		if (![...closure].some((file) => changed.has(file))) return skip("nothing it is made of has changed");
	}
	const notes: string[] = [];
	const context = contextOf(golden, {
		dtype: options.dtype,
		promptEmbeds: options.promptEmbeds === undefined ? undefined : directoryFolder(options.promptEmbeds),
		device: () => device.open(),
		note: (text) => notes.push(text),
	});
	const dispatchesBefore = device.dispatchCount();
	const start = performance.now();
	const report = await runCase(golden, registered.adapter, context);
	const seconds = ((performance.now() - start) / 1000).toFixed(1);
	const dispatches = device.dispatchCount() - dispatchesBefore;
	const idle = registered.adapter.runs === "device" && dispatches === 0;
	const passed = report.passed && !idle;
	console.log(
		`${passed ? "ok  " : "FAIL"} ${golden.name}${golden.full ? " (full)" : ""} ${options.dtype}: ${report.outputs.length} outputs, ${dispatches} dispatches, ${seconds} s`,
	);
	for (const output of report.outputs) {
		console.log(`  ${output.passed ? "ok  " : "FAIL"} ${output.name}: ${output.text}`);
	}
	if (idle) console.log("  FAIL no kernel was dispatched");
	for (const note of notes) console.log(`  note: ${note}`);
	if (report.notCompared.length > 0) console.log(`  not compared: ${report.notCompared.join(", ")}`);
	return passed ? "passed" : "failed";
}

try {
	process.exitCode = await main();
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}

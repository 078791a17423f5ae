import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { exitStatus } from "../../engine/error.ts";
import type { CommandLine } from "../arguments.ts";
import { openWeights } from "../openWeights.ts";
import { byteSize, choice, textOf, usage } from "../optionValues.ts";
import { freeBytes } from "../writeFiles.ts";
import { adviceLines, type KnownSystem, knownSystem } from "./advice.ts";
import { type DoctorRequest, examine, type Finding, type Machine } from "./examine.ts";
import { graphicsMemory } from "./graphicsMemory.ts";
import { probeAdapter } from "./probeAdapter.ts";

/** Checks the options of `doctor`, which are those of the `generate` that is meant. Throws code "input". */
export function doctorArguments({ operands, values }: CommandLine): DoctorRequest {
	if (operands.length > 0) throw usage(`doctor takes no ${operands.join(", ")}`);
	const dtype = textOf(values, "dtype");
	return {
		weights: textOf(values, "weights") ?? "ckpts",
		output: textOf(values, "output") ?? ".",
		adapter: textOf(values, "adapter"),
		dtype: dtype === undefined ? undefined : choice<"f16" | "f32">("--dtype", dtype, ["f16", "f32"]),
		maxMemory: byteSize("max-memory", textOf(values, "max-memory")),
	};
}

/** This machine. */
const thisMachine: Machine = {
	versions: process.versions,
	platform: `${process.platform} ${process.arch}`,
	memory: { totalBytes: totalmem(), freeBytes: freemem() },
	openAdapter: async (adapter) => probeAdapter(adapter),
	graphicsMemory,
	openWeights: (name) => openWeights(name, ["1", "2"]),
	freeBytes,
	hasProgram: (name) => spawnSync(name, ["-version"], { stdio: "ignore", timeout: 20_000 }).error === undefined,
};

/** The exit status of `generate` where it would fail with the first of what is missing; 0 where nothing is. */
export function doctorStatus(findings: readonly Finding[]): number {
	const first = findings.find(({ state }) => state === "missing");
	return first === undefined ? 0 : exitStatus[first.code ?? "device"];
}

/** What `synchuman doctor` prints. */
export function doctorText(findings: readonly Finding[], system: KnownSystem | undefined): string {
	const lines = findings.flatMap(({ name, state, text, advice }) => [
		`${(state === "ok" ? "" : state).padEnd(9)}${name.padEnd(24)}${text}`,
		...(advice === undefined ? [] : adviceLines(advice, system).map((line) => `${" ".repeat(13)}${line}`)),
	]);
	const missing = findings.filter(({ state }) => state === "missing").map(({ name }) => name);
	lines.push("", missing.length === 0 ? "generate would run" : `generate would not run: ${missing.join(", ")}`);
	return `${lines.join("\n")}\n`;
}

/** `synchuman doctor`: prints what there is, and gives the exit status that `generate` would have. Throws code "input". */
export async function doctorCommand(line: CommandLine, out: (text: string) => void): Promise<number> {
	const findings = await examine(doctorArguments(line), thisMachine);
	const release = "/etc/os-release";
	const system = knownSystem(process.platform, existsSync(release) ? readFileSync(release, "utf8") : "");
	const status = doctorStatus(findings);
	out(line.values.json === true ? `${JSON.stringify({ event: "result", runs: status === 0, findings })}\n` : doctorText(findings, system));
	return status;
}

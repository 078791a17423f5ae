import { type ErrorCode, SyncHumanError } from "../../engine/error.ts";
import type { DeviceReport } from "../../engine/gpu/device.ts";
import { type AdapterInfo, infoRows, otherAdapters } from "../info.ts";
import { bytesText } from "../planText.ts";
import { requirements } from "../requirements.ts";
import { type Advice, advice, everywhere } from "./advice.ts";
import type { GraphicsMemory } from "./graphicsMemory.ts";

/** One thing that the doctor looked at. */
export interface Finding {
	readonly name: string;
	/** "missing": `generate` would not run; "note": it runs, less well or without something. */
	readonly state: "ok" | "note" | "missing";
	readonly text: string;
	/** What kind of problem something missing is: decides the exit status. */
	readonly code?: ErrorCode;
	/** How to mend it. */
	readonly advice?: Advice;
}

/** What is to be looked at. */
export interface DoctorRequest {
	readonly weights: string;
	/** Where results would go. */
	readonly output: string;
	readonly adapter: string | undefined;
	readonly dtype: "f16" | "f32" | undefined;
	readonly maxMemory: number | undefined;
}

/** The machine, as the doctor asks it; every function may reject. */
export interface Machine {
	/** process.versions: node, deno. */
	readonly versions: Readonly<Record<string, string | undefined>>;
	/** "linux x64" and the like. */
	readonly platform: string;
	/** Bytes of main memory. */
	readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
	/** What the adapter can do, also one on the CPU. */
	openAdapter(name: string | undefined): Promise<AdapterInfo>;
	graphicsMemory(report: DeviceReport): GraphicsMemory | undefined;
	/** Reads the headers of a weights folder; whether they are made-up ones. */
	openWeights(name: string): Promise<{ readonly synthetic: boolean }>;
	freeBytes(folder: string): Promise<number>;
	hasProgram(name: string): boolean;
}

/** Looks at everything that `generate` needs. Never rejects: what cannot be found out is a finding. */
export async function examine(request: DoctorRequest, machine: Machine): Promise<readonly Finding[]> {
	const findings: Finding[] = [runtime(machine)];
	const report = await adapter(request, machine, findings);
	if (report !== undefined) findings.push(...device(report, request));
	const weights = await weightsFound(request, machine);
	if (report !== undefined) findings.push(graphics(report, request, machine));
	const { totalBytes, freeBytes } = machine.memory;
	findings.push({ name: "memory", state: "ok", text: `${bytesText(freeBytes)} free of ${bytesText(totalBytes)}` });
	findings.push(weights, await disk(request, machine, weights.state === "missing"));
	findings.push(
		machine.hasProgram("ffmpeg")
			? { name: "ffmpeg", state: "ok", text: "found" }
			: { name: "ffmpeg", state: "note", text: "not found; only `synchuman render` to .mp4 needs it", advice: advice.ffmpeg },
	);
	return findings;
}

function runtime({ versions, platform }: Machine): Finding {
	const name = "runtime";
	if (versions.deno !== undefined) return { name, state: "ok", text: `Deno ${versions.deno}, ${platform}` };
	const [major, minor] = (versions.node ?? "0.0").split(".").map(Number);
	const text = `Node ${versions.node}, ${platform}`;
	const [needMajor, needMinor] = requirements.node;
	if (major > needMajor || (major === needMajor && minor >= needMinor)) return { name, state: "ok", text };
	return { name, state: "missing", text: `${text}; ${needMajor}.${needMinor} or newer is needed`, code: "device", advice: advice.node };
}

/** Adds the findings about the adapter; its report where one could be opened. */
async function adapter(request: DoctorRequest, machine: Machine, findings: Finding[]): Promise<DeviceReport | undefined> {
	const name = "adapter";
	try {
		const report = await machine.openAdapter(request.adapter);
		const rest = otherAdapters(report);
		const also = rest.length === 0 ? "" : `; also ${rest.join(", ")} (choose with --adapter)`;
		const unasked = report.software && request.adapter === undefined;
		findings.push(
			unasked
				? {
						name,
						state: "missing",
						text: `${report.adapter}${also}: only software, thousands of times slower than a GPU (--adapter software permits it)`,
						...noDriver,
					}
				: {
						name,
						state: report.software ? "note" : "ok",
						text: `${report.adapter}${report.software ? " (software: for tests)" : ""}${also}`,
					},
		);
		return report;
	} catch (error) {
		const text = messageOf(error);
		const mend = text.startsWith("WebGPU cannot be loaded") ? { code: "device" as const, advice: advice.webgpu } : noDriver;
		findings.push({ name, state: "missing", text, ...mend });
		return undefined;
	}
}

const noDriver = { code: "device" as const, advice: advice.driver };

function device(report: DeviceReport, { dtype }: DoctorRequest): readonly Finding[] {
	const findings = infoRows(report)
		.filter(([name]) => name !== "adapter" && name !== "shader-f16")
		.map(([name, text]): Finding => ({ name, state: "ok", text }));
	const { maxStorageBufferBindingSize: binding } = report.limits;
	if (binding < requirements.bindingBytes) {
		const text = `${bytesText(binding)}, ${bytesText(requirements.bindingBytes)} are needed`;
		findings[findings.findIndex(({ name }) => name === "largest binding")] = {
			name: "largest binding",
			state: "missing",
			text,
			...noDriver,
		};
	}
	const half: Finding = report.f16
		? { name: "shader-f16", state: "ok", text: "yes" }
		: dtype === "f16"
			? { name: "shader-f16", state: "missing", text: "no; leave out --dtype f16", code: "device", advice: advice.half }
			: { name: "shader-f16", state: "note", text: "no: runs go in f32, with twice the memory", advice: advice.half };
	findings.splice(2, 0, half);
	return findings;
}

function graphics(report: DeviceReport, request: DoctorRequest, machine: Machine): Finding {
	const name = "GPU memory";
	if (request.weights === "synthetic:tiny") return { name, state: "ok", text: "synthetic:tiny needs next to none" };
	const double = request.dtype === "f32" || !report.f16;
	const needed = requirements.stagedBytes * (double ? 2 : 1);
	const need = `generate needs ${double ? "about " : ""}${bytesText(needed)} in ${double ? "f32" : "f16"}`;
	const missing = { name, state: "missing", code: "memory", advice: advice.graphicsMemory } as const;
	if (request.maxMemory !== undefined && request.maxMemory < needed) {
		return { ...missing, text: `--max-memory ${bytesText(request.maxMemory)}; ${need}`, advice: everywhere(`--max-memory ${needed}`) };
	}
	const found = report.software ? { ...machine.memory, source: "main memory" } : safely(() => machine.graphicsMemory(report));
	if (found === undefined) return { name, state: "note", text: `unknown: WebGPU does not tell; ${need}` };
	const text = `${bytesText(found.freeBytes)} free of ${bytesText(found.totalBytes)} (${found.source}); ${need}`;
	return found.freeBytes < needed ? { ...missing, text } : { name, state: "ok", text };
}

async function weightsFound({ weights }: DoctorRequest, machine: Machine): Promise<Finding> {
	const name = "weights";
	try {
		const { synthetic } = await machine.openWeights(weights);
		if (synthetic) return { name, state: "note", text: `${weights}: made-up numbers, no trained model` };
		return { name, state: "ok", text: `${weights}: every tensor of both stages is there (by their headers; hashes: synchuman verify)` };
	} catch (error) {
		return {
			name,
			state: "missing",
			text: messageOf(error),
			code: "checkpoint",
			advice: everywhere(`npx synchuman download --dir ${weights}`),
		};
	}
}

async function disk({ output, weights }: DoctorRequest, machine: Machine, toDownload: boolean): Promise<Finding> {
	const name = "disk";
	try {
		const free = await machine.freeBytes(output);
		const text = `${bytesText(free)} free for ${output}`;
		const missing = { name, state: "missing", code: "disk", advice: advice.disk } as const;
		if (free < requirements.resultsDiskBytes)
			return { ...missing, text: `${text}; a picture takes up to ${bytesText(requirements.resultsDiskBytes)}` };
		if (toDownload) {
			const room = await machine.freeBytes(weights);
			if (room < requirements.weightsDiskBytes) {
				return { ...missing, text: `${bytesText(room)} free for ${weights}; the weights take ${bytesText(requirements.weightsDiskBytes)}` };
			}
		}
		return { name, state: "ok", text };
	} catch (error) {
		return { name, state: "missing", text: messageOf(error), code: "disk", advice: advice.disk };
	}
}

function safely<T>(work: () => T): T | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

/** The first line of an error: a stack or Dawn's list helps nobody here. */
function messageOf(error: unknown): string {
	if (error instanceof SyncHumanError) return error.message.replace(/\s*\n\s*/g, " ");
	return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { bytesText } from "../planText.ts";

/** What is held after a generation whose resources have been freed. */
export interface SoakSample {
	/** Buffers created minus destroyed, in bytes. */
	readonly bufferBytes: number;
	/** The driver's own figure for the card; undefined where nobody gives one. */
	readonly driverBytes: number | undefined;
	/** Of the process on the host; looked at, not judged. */
	readonly residentSetBytes: number;
	/** Of everything the generation gave. */
	readonly resultSha256: string;
}

/** Of every array in a result, in the order of its fields. */
export function resultHash(result: object): string {
	const hash = createHash("sha256");
	const add = (value: unknown) => {
		if (ArrayBuffer.isView(value)) hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
		else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) add(one);
	};
	add(result);
	return hash.digest("hex");
}

/** From this run on the driver's figure must be flat: before, it fills its caches. */
const firstJudged = 2;
/** How far apart the driver's figures may lie. */
const flatWithin = 0.01;

/** Generates `runs` times and samples after each, with the result's hash; `onRun` is told each. */
export async function soak(
	runs: number,
	generate: (run: number) => Promise<string>,
	sample: () => Promise<Omit<SoakSample, "resultSha256">>,
	onRun?: (run: number, sample: SoakSample) => void,
): Promise<readonly SoakSample[]> {
	const samples: SoakSample[] = [];
	for (let run = 0; run < runs; run++) {
		const resultSha256 = await generate(run);
		samples.push({ ...(await sample()), resultSha256 });
		onRun?.(run, samples[run]);
	}
	return samples;
}

/** What is wrong with the samples of a soak: buffers or results that differ, or a driver's figure that is not flat from the third run on. */
export function soakProblems(samples: readonly SoakSample[]): readonly string[] {
	const problems: string[] = [];
	for (const [run, { bufferBytes, resultSha256 }] of samples.entries()) {
		if (resultSha256 !== samples[0].resultSha256) problems.push(`run ${run + 1} gave other bytes than the first`);
		if (bufferBytes === samples[0].bufferBytes) continue;
		problems.push(`after run ${run + 1} buffers have ${bufferBytes} bytes, after the first ${samples[0].bufferBytes}`);
	}
	const judged = samples.slice(firstJudged).flatMap(({ driverBytes }) => (driverBytes === undefined ? [] : [driverBytes]));
	const [least, most] = [Math.min(...judged), Math.max(...judged)];
	if (judged.length > 1 && most > least * (1 + flatWithin)) {
		problems.push(`the driver holds ${bytesText(least)} to ${bytesText(most)} from run ${firstJudged + 1} on`);
	}
	return problems;
}

/** Bytes in use on all NVIDIA cards of this machine, as their driver counts them; undefined where nvidia-smi is not there. */
export async function driverMemory(): Promise<number | undefined> {
	try {
		const { stdout } = await promisify(execFile)("nvidia-smi", ["--query-gpu=memory.used", "--format=csv,noheader,nounits"]);
		const used = stdout.trim().split("\n").map(Number);
		return used.some((mebibytes) => !Number.isFinite(mebibytes)) ? undefined : used.reduce((a, b) => a + b, 0) * 2 ** 20;
	} catch {
		return undefined;
	}
}

/** One line of a sample, for people. */
export function soakText(run: number, { bufferBytes, driverBytes, residentSetBytes, resultSha256 }: SoakSample): string {
	const driver = driverBytes === undefined ? "driver unknown" : `driver ${bytesText(driverBytes)} (${driverBytes / 2 ** 20} MiB)`;
	return `run ${run + 1}: ${bufferBytes} bytes in buffers, ${driver}, process ${bytesText(residentSetBytes)}, result ${resultSha256.slice(0, 16)}\n`;
}

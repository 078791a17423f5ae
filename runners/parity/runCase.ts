import { createHash } from "node:crypto";
import type { Adapter, HostTensor, ParityContext, ParityOutputs } from "./adapter.ts";
import { boundOf, describeBound } from "./bounds.ts";
import type { GoldenCase } from "./case.ts";
import { compareValues, compareVoxels, pickStored } from "./compare.ts";

/** One line of the report of a case. */
export interface OutputReport {
	readonly name: string;
	readonly passed: boolean;
	readonly text: string;
}

/** What became of a case. */
export interface CaseReport {
	readonly outputs: readonly OutputReport[];
	/** Golden outputs that the adapter did not give. */
	readonly notCompared: readonly string[];
	readonly passed: boolean;
}

/** Goldens made from pictures that are not stored (goldens/README.md), and tables that only say which rows are kept. */
const neverCompared: Readonly<Record<string, readonly string[]>> = {
	image_loading: ["mv_img_1_stride16", "faces_img_stride32"],
};
const rowTables = /(^|\.|_)rows$/;

/** Runs an adapter and compares all it gives. */
export async function runCase(golden: GoldenCase, adapter: Adapter, context: ParityContext): Promise<CaseReport> {
	const actual = await adapter.run(context);
	const outputs: OutputReport[] = [];
	const notCompared: string[] = [];
	const required = new Set(adapter.required(context.outputNames));
	const voxels = voxelReport(golden, actual, context.dtype);
	if (voxels !== undefined) outputs.push(...voxels.reports);
	for (const [name, expected] of golden.outputs) {
		const ours = actual.get(name);
		const coordinates = /^coords_(head|tail)$/.test(name);
		if ((coordinates && (golden.full || voxels?.equal === false)) || (ours === undefined && !required.has(name))) {
			if (!(rowTables.test(name) && name !== "n_rows") && !neverCompared[golden.name]?.includes(name)) notCompared.push(name);
		} else if (ours === undefined) {
			outputs.push({ name, passed: false, text: "is required, and the adapter did not return it" });
		} else {
			outputs.push(compareOutput(golden, name, ours, expected, context.dtype));
		}
	}
	for (const name of actual.keys()) {
		if (!golden.outputs.has(name) && name !== "coords") outputs.push({ name, passed: false, text: "is no output of the golden" });
	}
	return { outputs, notCompared, passed: outputs.length > 0 && outputs.every((output) => output.passed) };
}

function compareOutput(golden: GoldenCase, name: string, ours: HostTensor, expected: HostTensor, dtype: "f16" | "f32"): OutputReport {
	const described = golden.meta.outputs?.[name];
	const picked = pickStored(ours, expected, { sample: described?.sample, shape: described?.shape });
	if (typeof picked === "string") return { name, passed: false, text: picked };
	const wholeNumbers = !(expected.data instanceof Float32Array || expected.data instanceof Float64Array);
	const bound = boundOf(golden.name, name, { dtype, full: golden.full, wholeNumbers });
	const result = compareValues(picked.data, expected.data, bound);
	const worst =
		result.atMax === undefined ? "" : ` at ${result.maxErrorIndex} (${format(result.atMax[0])}, golden ${format(result.atMax[1])})`;
	const figures = `NMSE ${format(result.nmse)}  max ${format(result.maxError)}${worst}`;
	const text = `${figures}${result.problem === undefined ? "" : `  ${result.problem}`}  [${describeBound(bound)}]`;
	return { name, passed: result.passed, text };
}

/** Occupied voxels of the two cases that end in occupancy logits; undefined elsewhere. */
function voxelReport(golden: GoldenCase, actual: ParityOutputs, dtype: "f16" | "f32") {
	const name = ["occupancy_logits", "final.occupancy_logits"].find((logits) => golden.outputs.has(logits));
	const expected = name === undefined ? undefined : golden.outputs.get(name);
	const ours = name === undefined ? undefined : actual.get(name);
	if (expected === undefined || ours === undefined || golden.full) return undefined;
	const { passed, differing, largestLogit } = compareVoxels(ours.data, expected.data, dtype);
	const size = expected.data.length;
	const difference = differing === 0 ? "equal" : `${differing} of ${size} differ, golden logits there up to ${format(largestLogit)}`;
	const reports: OutputReport[] = [{ name: "voxels", passed, text: difference }];
	const coords = actual.get("coords");
	if (differing === 0 && coords !== undefined && golden.meta.coords !== undefined)
		reports.push(coordinateReport(coords, golden.meta.coords));
	return { reports, equal: differing === 0 };
}

function coordinateReport(coords: HostTensor, meta: { count: number; sha256_int32: string }): OutputReport {
	const rows = Int32Array.from(coords.data);
	const equal =
		rows.length === meta.count * 4 && createHash("sha256").update(new Uint8Array(rows.buffer)).digest("hex") === meta.sha256_int32;
	return {
		name: "coords",
		passed: equal,
		text: equal ? `all ${meta.count} rows equal (sha256)` : `${rows.length / 4} rows, golden ${meta.count}; not equal`,
	};
}

function format(value: number): string {
	if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
	return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? value.toPrecision(6) : value.toExponential(2);
}

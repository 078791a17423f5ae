import type { Adapter } from "../../runners/parity/adapter.ts";
import { contextOf, loadCase } from "../../runners/parity/case.ts";
import { type CaseReport, runCase } from "../../runners/parity/runCase.ts";
import { testDevice } from "./gpu.ts";

/** Runs a case of test/fixtures/parity (results of the official modules) through its parity adapter, within the bounds of goldens. */
export async function runParityFixture(name: string, adapter: Adapter, dtype: "f32" | "f16"): Promise<CaseReport> {
	const golden = await loadCase(new URL(`../fixtures/parity/${name}`, import.meta.url).pathname);
	const services = { dtype, promptEmbeds: undefined, device: () => testDevice(), note: () => undefined };
	return runCase(golden, adapter, contextOf(golden, services));
}

/** One line for every output that is out of bounds. */
export function failures(report: CaseReport): string[] {
	return report.outputs.filter((output) => !output.passed).map((output) => `${output.name}: ${output.text}`);
}

import type { Device } from "../../engine/gpu/device.ts";
import { bareContext, type MemoryPlan } from "../../engine/stages/part.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import type { BenchRow } from "./report.ts";
import { driverMemory, resultHash } from "./soak.ts";
import { type StageWork, synchumanStage } from "./stageRows.ts";

/** Memory and results of whole generations, once with staged weights and twice with resident ones. */
export interface ResidentMeasurement {
	/** One a generation: its seconds, the largest memory planned and held, and, as a row of its own, the driver's largest figure. */
	readonly rows: readonly BenchRow[];
	readonly plans: readonly MemoryPlan[];
	/** Whether all gave the same bytes. */
	readonly sameBytes: boolean;
}

/**
 * Both stages without the finishing: with weights that are loaded for their part, with weights that stay, and once more with these, which are all
 * on the GPU from the beginning then. The driver's figure is taken while each part's memory is there.
 */
export async function measureResident(device: Device, work: StageWork<Checkpoint>): Promise<ResidentMeasurement> {
	const stages = [synchumanStage("stage1", work), synchumanStage("stage2", work)];
	const resident = { ...bareContext(device), maxMemory: Number.POSITIVE_INFINITY };
	const generations = { staged: bareContext(device), "resident, first": resident, "resident, next": resident };
	const rows: BenchRow[] = [];
	const plans: MemoryPlan[] = [];
	const hashes = new Set<string>();
	try {
		for (const [name, context] of Object.entries(generations)) {
			let [plannedBytes, peakBytes, driverBytes] = [0, 0, 0];
			const measurements: typeof context.measurements = [];
			const results: unknown[] = [];
			const started = performance.now();
			for (const stage of stages) {
				const result = await stage.run({
					...context,
					measurements,
					onPlan(plan) {
						plans.push(plan);
						plannedBytes = Math.max(plannedBytes, plan.peakBytes);
					},
					async onRun() {
						driverBytes = Math.max(driverBytes, (await driverMemory()) ?? 0);
					},
				});
				results.push(result);
			}
			const elapsedMs = performance.now() - started;
			for (const part of measurements) peakBytes = Math.max(peakBytes, part.peakBytes);
			rows.push({ name: `whole run, ${name}`, calls: 1, elapsedMs, plannedBytes, peakBytes });
			if (driverBytes > 0) rows.push({ name: `whole run, ${name}: driver's figure`, calls: 1, elapsedMs, peakBytes: driverBytes });
			hashes.add(resultHash(results));
		}
	} finally {
		resident.networks.release();
	}
	return { rows, plans, sameBytes: hashes.size === 1 };
}

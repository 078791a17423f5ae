import type { DeviceReport } from "../../engine/gpu/device.ts";
import type { GenerateArguments } from "../arguments.ts";

/** A line of a run: the JSON lines of `synchuman generate --json` ("start", "plan", "progress", "result"). */
export type RunEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** What a worker can do. */
export interface WorkerReport {
	readonly device: Pick<DeviceReport, "adapter" | "driver" | "software" | "f16">;
	/** Stages whose weights are there. */
	readonly stages: { readonly stage1: boolean; readonly stage2: boolean };
	/** The machine that it is on, where that is not the server's. */
	readonly host?: string;
}

/** How a run is watched and stopped. */
export interface RunWatch {
	/** Ends the run after the step it is in: the promise rejects with code "aborted". */
	readonly signal: AbortSignal;
	readonly onEvent: (event: RunEvent) => void;
}

/** What does the jobs: one at a time. */
export interface JobWorker {
	/** Makes it ready: opens the GPU, and with `preload` loads weights and compiles kernels. Rejects where no job could run. */
	start(preload: boolean): Promise<WorkerReport>;
	/** Does one job, writing its results as `synchuman generate` does. Rejects with SyncHumanError. */
	run(options: GenerateArguments, watch: RunWatch): Promise<void>;
	close(): Promise<void>;
}

/** Where a job stands, as GET /jobs/ID tells it (jobView in ../jobRecord.ts); what the page reads of it. */
export interface Job {
	readonly job_id: string;
	readonly status: "queued" | "running" | "done" | "failed" | "cancelled";
	readonly stopping: boolean;
	readonly stage: string;
	readonly position: number | null;
	readonly progress: JobProgress | null;
	readonly created_at: string;
	readonly started_at: string | null;
	readonly finished_at: string | null;
	readonly options: {
		readonly stage1_steps: number;
		readonly stage2_steps: number;
		readonly seed: number;
		readonly texture_size: number;
	};
	readonly error: { readonly code: string; readonly message: string; readonly hint?: string | null | undefined } | null;
	readonly result: {
		readonly files: readonly string[];
		readonly stage1: { readonly status: string; readonly output_dir: string | null };
		readonly stage2: { readonly status: string };
	} & Readonly<Record<string, unknown>>;
	readonly links: {
		readonly self: string;
		readonly events: string;
		readonly glb?: string;
		readonly preview?: string;
		readonly zip?: string;
	};
}

/** The part that runs. */
export interface JobProgress {
	readonly part: string;
	readonly step: number;
	readonly steps: number;
	readonly elapsed_ms: number;
	readonly eta_ms: number | null;
	/** Where coarse views are, once there are any. */
	readonly views: string | null;
}

/** True once nothing happens to the job any more. */
export function hasEnded({ status }: Job): boolean {
	return status === "done" || status === "failed" || status === "cancelled";
}

/** Whether a job has this file, such as stage1/color_0.png; of its stage 1 also that of the job it goes on from. */
export function filePath(job: Job, name: string): string | undefined {
	const own = `/jobs/${job.job_id}/${name}`;
	if (job.result.files.includes(own)) return own;
	const { output_dir: folder } = job.result.stage1;
	return job.stage === "stage2" && folder !== null && name.startsWith("stage1/") ? `${folder}/${name.slice("stage1/".length)}` : undefined;
}

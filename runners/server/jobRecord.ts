import { randomUUID } from "node:crypto";
import type { Progress } from "../../engine/stages/part.ts";
import type { GenerateArguments } from "../arguments.ts";
import type { ErrorReport } from "./httpError.ts";
import type { ViewsNow } from "./viewsEvent.ts";

/** Where a job stands; the last three are final. */
export type JobStatus = "queued" | "running" | "done" | "failed" | "cancelled";

/** What a run was asked to do; places of files and the GPU are the server's. */
export type JobOptions = Omit<GenerateArguments, "image" | "output" | "weights" | "dtype" | "adapter" | "maxMemory" | "json">;

/** A job as it stands on the disk (job.json). Times are ISO 8601. */
export interface JobRecord {
	readonly id: string;
	readonly status: JobStatus;
	readonly options: JobOptions;
	/** The job whose stage 1 this one goes on from. */
	readonly source: string | null;
	/** Share of the uploaded picture that is visible; null without a picture. */
	readonly alphaCoverage: number | null;
	readonly createdAt: string;
	readonly startedAt: string | null;
	readonly finishedAt: string | null;
	/** True once stage1/ is whole: a run that ended later can be taken up from there. */
	readonly stageOneKept: boolean;
	/** Paths below the job's folder, "/" between their parts. */
	readonly files: readonly string[];
	/** Bytes of them. */
	readonly byteLength: number;
	/** Voxels, vertices, faces, seconds: what the run's last line says. */
	readonly figures: Readonly<Record<string, unknown>> | null;
	readonly error: ErrorReport | null;
}

/** What a new job is made from. */
export interface NewJob {
	readonly options: JobOptions;
	readonly picture: Uint8Array | undefined;
	readonly source: string | undefined;
	readonly alphaCoverage: number | undefined;
}

/** The record of a job that is to wait, under an id of its own. */
export function newJobRecord({ options, picture, source, alphaCoverage }: NewJob): JobRecord {
	return {
		id: randomUUID().replaceAll("-", ""),
		status: "queued",
		options,
		source: source ?? null,
		alphaCoverage: alphaCoverage ?? null,
		createdAt: new Date().toISOString(),
		startedAt: null,
		finishedAt: null,
		stageOneKept: false,
		files: [],
		byteLength: picture?.length ?? 0,
		figures: null,
		error: null,
	};
}

/** True where nothing will happen to the job any more. */
export function isFinal({ status }: Pick<JobRecord, "status">): boolean {
	return status === "done" || status === "failed" || status === "cancelled";
}

/** What is known of a job only while it waits or runs. */
export interface JobNow {
	/** Place in the queue from 1; null where it is not in it. */
	readonly position: number | null;
	readonly progress: Progress | null;
	/** The views as they are so far, from the middle of stage 1 on. */
	readonly views: ViewsNow | null;
	/** Whether it was told to stop. */
	readonly stopping: boolean;
}

/** A job as clients see it: documented names (`result.stage1.output_dir`), links instead of the server's paths. */
export function jobView(job: JobRecord, { position, progress, views, stopping }: JobNow) {
	const link = (path: string) => `/jobs/${job.id}/${path}`;
	const under = (stage: "stage1" | "stage2") => job.files.filter((file) => file.startsWith(`${stage}/`)).map(link);
	const { stage, steps, stageTwoSteps } = job.options;
	const statusOf = (has: boolean): string => (has ? "done" : isFinal(job) ? (job.status === "done" ? "skipped" : job.status) : job.status);
	const first = stage !== "2";
	return {
		job_id: job.id,
		status: job.status,
		stopping,
		stage: stage === "both" ? "both" : `stage${stage}`,
		position,
		progress:
			isFinal(job) || progress === null
				? null
				: {
						part: progress.part,
						step: progress.step,
						steps: progress.steps,
						elapsed_ms: Math.round(progress.elapsedMs),
						eta_ms: progress.etaMs === undefined ? null : Math.round(progress.etaMs),
						views: views === null ? null : `${link("views.webp")}?step=${views.step}`,
					},
		created_at: job.createdAt,
		started_at: job.startedAt,
		finished_at: job.finishedAt,
		options: optionsView(job.options),
		error: job.error,
		result: {
			job_id: job.id,
			status: job.status,
			alpha_coverage: job.alphaCoverage,
			...job.figures,
			stage1: {
				status: first ? statusOf(job.stageOneKept) : "skipped",
				steps: first ? steps : null,
				output_dir: first ? link("stage1") : job.source === null ? null : `/jobs/${job.source}/stage1`,
				files: under("stage1"),
				...(!first && { job_id: job.source, reason: "continued from that job" }),
			},
			stage2: {
				status: stage === "1" ? "skipped" : statusOf(job.files.includes("stage2/output.glb")),
				steps: stage === "1" ? null : stageTwoSteps,
				output_dir: stage === "1" ? null : link("stage2"),
				files: under("stage2"),
				...(stage === "1" && { reason: "only stage 1 was asked for" }),
			},
			files: job.files.map(link),
		},
		links: {
			self: `/jobs/${job.id}`,
			events: link("events"),
			...(job.files.includes("stage2/output.glb") && { glb: link("stage2/output.glb") }),
			...(job.files.includes("preview.png") && { preview: link("preview.png") }),
			...(job.status === "done" && { zip: link("results.zip") }),
		},
	};
}

/** Choices under the names of the form's fields. */
function optionsView(options: JobOptions) {
	return {
		stage1_steps: options.steps,
		stage2_steps: options.stageTwoSteps,
		seed: options.seed,
		guidance: options.guidance,
		background: options.background,
		texture_size: options.textureSize,
		simplify: options.simplify,
		texture_effort: options.textureEffort,
		face_texels: options.faceTexels,
		normal_map: options.normalMap,
		texture_format: options.textureFormat,
		unlit: options.unlit,
		height: options.height ?? null,
		compress: options.compress,
		mesh_format: options.meshFormats.join(","),
	};
}

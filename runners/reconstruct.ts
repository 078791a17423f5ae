import { join } from "node:path";
import type { Device } from "../engine/gpu/device.ts";
import { type FinishOptions, sketchEffort } from "../engine/stages/finish.ts";
import type { OpenFinishWork } from "../engine/stages/finishWork.ts";
import { bareContext } from "../engine/stages/part.ts";
import { previewSheet } from "../engine/stages/preview.ts";
import { runReconstruction } from "../engine/stages/reconstruction.ts";
import { holdFolder } from "./holdFolder.ts";
import { encodePng } from "./imageFile.ts";
import { buildReport } from "./project.ts";
import type { ReconstructArguments } from "./reconstructArguments.ts";
import { type RunOutput, type RunReporter, runReporter } from "./runReporter.ts";
import { surfaceFiles } from "./surfaceFiles.ts";
import { readViews } from "./viewsFolder.ts";
import { writeFiles } from "./writeFiles.ts";

/** What a run needs besides its arguments. */
export interface ReconstructSurroundings extends RunOutput {
	openDevice(options: ReconstructArguments): Promise<Device>;
	/** Does the CPU's share of the finishing on other threads; on this one unless it is given. */
	readonly openFinishWork?: OpenFinishWork;
	/** Less than the whole work, for tests. */
	readonly effort?: FinishOptions["effort"];
	readonly signal: AbortSignal;
}

/**
 * `synchuman reconstruct`: a folder of five colour and five normal views to output.glb, preview.png and run.json, without weights. The views are looked
 * at before a GPU is opened. Throws SyncHumanError.
 */
export async function reconstruct(options: ReconstructArguments, surroundings: ReconstructSurroundings): Promise<void> {
	const started = performance.now();
	const reporter = runReporter(options.json, surroundings);
	const views = await readViews(options.views);
	await holdFolder(options.output, () => reconstructFrom(views, options, surroundings, reporter, started));
}

async function reconstructFrom(
	views: Awaited<ReturnType<typeof readViews>>,
	options: ReconstructArguments,
	surroundings: ReconstructSurroundings,
	reporter: RunReporter,
	started: number,
): Promise<void> {
	const { output, seed, textureSize, simplify, faceTexels, normalMap } = options;
	const { openFinishWork, signal } = surroundings;
	const effort = surroundings.effort ?? (options.textureEffort === "sketch" ? sketchEffort : undefined);
	try {
		const device = await surroundings.openDevice(options);
		const { report: adapter } = device;
		reporter.event("start", { adapter, views: options.views });
		reporter.remark(`adapter: ${adapter.adapter}${adapter.software ? " (software)" : ""}`);
		const context = {
			...bareContext(device),
			...{ signal, maxMemory: options.maxMemory, onProgress: reporter.progress, onPlan: reporter.plan },
		};
		const finish = textureSize === 0 ? undefined : { textureSize, simplify, faceTexels, normalMap, openFinishWork, effort };
		const body = await runReconstruction(context, { views, seed, finish });
		const files = await surfaceFiles(body, options, { seed, reconstructed: true });
		if (options.preview) files.push(["preview.png", await encodePng(await previewSheet(context, body))]);
		const { positions, faces } = body.mesh;
		const [vertexCount, faceCount] = [positions.length / 3, faces.length / 3];
		const record = {
			build: buildReport(),
			views: { size: views.colors[0].width },
			...{ seed, textureSize, resolution: body.resolution },
			simplify: textureSize === 0 ? null : simplify,
			repair: body.repair ?? null,
			...{ adapter, vertices: vertexCount, faces: faceCount, parts: context.measurements },
			seconds: Math.round(performance.now() - started) / 1000,
		};
		files.push(["run.json", new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`)]);
		await writeFiles(output, files);
		reporter.result(
			files.map(([name]) => join(output, name)),
			{ vertices: vertexCount, faces: faceCount, seconds: record.seconds },
			`${vertexCount} vertices, ${faceCount} faces; ${record.seconds.toFixed(1)} s`,
		);
	} finally {
		reporter.end();
	}
}

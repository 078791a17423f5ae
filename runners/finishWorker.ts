import { parentPort } from "node:worker_threads";
import { bakeLookups, inpaintRadius, uncoveredTexels } from "../engine/mesh/bakeTexture.ts";
import { type ChartJob, chartPart, initializeAtlas } from "../engine/mesh/chartPart.ts";
import { type PackJob, packCharts } from "../engine/mesh/packCharts.ts";
import { type TeleaWeights, teleaFill, teleaWeights } from "../engine/mesh/teleaFill.ts";
import { type TeleaFront, teleaFront } from "../engine/mesh/teleaFront.ts";
import { teleaWeightsOf } from "../engine/mesh/teleaInpaint.ts";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../engine/mesh/textureSamples.ts";
import { arraysInShared } from "./sharedArrays.ts";
import { answerJobs } from "./workerPool.ts";

// The CPU's share of a surface's finishing beside the main thread: a job in, its result or why there is none out, one after the other.

/** What the worker is sent: one of these. Meshes, fronts and weights lie in shared memory. */
export interface FinishJob {
	readonly chart?: ChartJob;
	readonly pack?: PackJob;
	/** Where a view looks the texture of `size` texels a side up; the mesh is the same in every job. */
	readonly view?: { readonly mesh: TexturedMesh; readonly size: number; readonly view: BakeObservation };
	/** The gaps of a texture, and the front of their inpainting. */
	readonly gaps?: { readonly mesh: TexturedMesh; readonly size: number };
	/** What the pixels from `first` to `end` take from those around them. */
	readonly weights?: { readonly front: TeleaFront; readonly first: number; readonly end: number };
	/** One channel of a picture, to be inpainted with the weights that are there already. */
	readonly fill?: { readonly front: TeleaFront; readonly weights: readonly TeleaWeights[]; readonly plane: Uint8Array };
}

let lookups: ReturnType<typeof bakeLookups> | undefined;
initializeAtlas().catch(() => undefined); // the job that needs it tells

answerJobs<FinishJob>(
	parentPort,
	async ({ chart, pack, view, gaps, weights, fill }) => {
		if (chart !== undefined) return chartPart(chart);
		if (pack !== undefined) return packCharts(pack);
		if (view !== undefined) {
			lookups ??= bakeLookups(view.mesh, view.size);
			return lookups(view.view);
		}
		if (gaps !== undefined) {
			const uncovered = uncoveredTexels(gaps.mesh, gaps.size);
			return { uncovered, front: arraysInShared(teleaFront(uncovered, gaps.size, gaps.size, inpaintRadius)) };
		}
		if (weights !== undefined) return arraysInShared(teleaWeights(weights.front, weights.first, weights.end));
		if (fill === undefined) throw new Error("no job");
		teleaFill(fill.front, teleaWeightsOf(fill.front, fill.weights), [fill.plane]);
		return fill.plane;
	},
	(result) => {
		const buffer = result instanceof Uint8Array ? result.buffer : (result as Partial<TextureSamples>).values?.buffer;
		return buffer instanceof ArrayBuffer ? [buffer] : [];
	},
);

import { parentPort } from "node:worker_threads";
import { inpaintRadius, levelsOf, uncoveredTexels } from "../engine/mesh/bakeTexture.ts";
import { type ChartJob, chartPart, initializeAtlas } from "../engine/mesh/chartPart.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import { type PackJob, packCharts } from "../engine/mesh/packCharts.ts";
import { type TeleaWeights, teleaFill, teleaWeights } from "../engine/mesh/teleaFill.ts";
import { frontInside, type TeleaFront, timesOutside } from "../engine/mesh/teleaFront.ts";
import { teleaWeightsOf } from "../engine/mesh/teleaInpaint.ts";
import {
	type BakeObservation,
	type SeenFaces,
	samplesOfSeen,
	seenFaces,
	type TexturedMesh,
	type TextureSamples,
} from "../engine/mesh/textureSamples.ts";
import { rehearseFinishing } from "./rehearseFinishing.ts";
import { arraysInShared } from "./sharedArrays.ts";
import { answerJobs } from "./workerPool.ts";

// The CPU's share of a surface's finishing beside the main thread: a job in, its result or why there is none out, one after the other.

/** What the worker is sent: one of these. Meshes, fronts and weights lie in shared memory. */
export interface FinishJob {
	/** Nothing but practice. */
	readonly rehearsal?: true;
	readonly chart?: ChartJob;
	readonly pack?: PackJob;
	/** What a view sees of a mesh. */
	readonly see?: { readonly mesh: Mesh; readonly view: BakeObservation };
	/** Where it looks the texture of `size` texels a side up. */
	readonly lookUp?: { readonly mesh: TexturedMesh; readonly size: number; readonly seen: SeenFaces };
	/** The gaps of a texture, and the front of their inpainting but for its times outside of them. */
	readonly gaps?: { readonly mesh: TexturedMesh; readonly size: number };
	/** Those times. */
	readonly outside?: { readonly mesh: TexturedMesh; readonly size: number };
	/** What the pixels from `first` to `end` take from those around them. */
	readonly weights?: { readonly front: TeleaFront; readonly first: number; readonly end: number };
	/** One channel of a picture, to be inpainted with the weights that are there already. */
	readonly fill?: { readonly front: TeleaFront; readonly weights: readonly TeleaWeights[]; readonly plane: Uint8Array };
}

initializeAtlas().catch(() => undefined); // the job that needs it tells

answerJobs<FinishJob>(
	parentPort,
	async ({ rehearsal, chart, pack, see, lookUp, gaps, outside, weights, fill }) => {
		if (rehearsal) return rehearseFinishing();
		if (chart !== undefined) return chartPart(chart);
		if (pack !== undefined) return packCharts(pack);
		if (see !== undefined) return arraysInShared(seenFaces(see.mesh, see.view));
		if (lookUp !== undefined) return samplesOfSeen(lookUp.mesh, lookUp.seen, lookUp.size, levelsOf(lookUp.size));
		if (gaps !== undefined) {
			const uncovered = uncoveredTexels(gaps.mesh, gaps.size);
			return { uncovered, front: arraysInShared(frontInside(uncovered, gaps.size, gaps.size, inpaintRadius)) };
		}
		if (outside !== undefined) {
			const { mesh, size } = outside;
			return timesOutside(uncoveredTexels(mesh, size), size, size, inpaintRadius);
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

import { SyncHumanError } from "../../engine/error.ts";
import type { BenchRow } from "./report.ts";

/** A part of both programs. */
export interface Comparison {
	readonly name: string;
	readonly oursMs: number;
	readonly theirsMs: number;
	/** Largest GPU memory of the part. */
	readonly oursBytes: number | undefined;
	readonly theirsBytes: number | undefined;
}

/** A part of PyTorch's benchmarks (reference/stage1/bench.py, reference/stage2/bench.py) and the rows of ours that do the same work. */
interface Theirs {
	readonly name: string;
	readonly ms: number;
	readonly bytes: number | undefined;
	/** Name of our row, and how often it happens for the same result. */
	readonly row: string;
	readonly times: number;
	/** Steps that our row must have. */
	readonly steps?: number;
}

/** Parts of stage1.json by their keys there. Of the ten pictures that PyTorch encodes two differ, which is what we encode; it embeds each twice too. */
const stageOneRows: Readonly<Record<string, readonly [name: string, row: string, times: number]>> = {
	unet_step: ["one denoising step", "graph denoising", 1],
	clip: ["CLIP", "graph image embedding", 1],
	dino: ["DINOv2 518 px", "graph picture features", 1],
	vae_encode: ["VAE encode", "graph picture encoding", 1],
	vae_decode: ["VAE decode, 10 views", "graph view decoding", 10],
	ss_decoder: ["structure decoder", "graph structure decoding", 1],
};

/** Parts of stage 1, which together are what PyTorch's estimate for 50 steps adds up. */
const stageOneParts = ["image embedding", "picture encoding", "picture features", "diffusion", "view decoding", "structure decoding"];
const wholeStageOne = "stage 1, 50 steps and all parts";

const stageTwoRows: Readonly<Record<string, readonly [name: string, row: string, steps?: number]>> = {
	"flow forward": ["latent flow, 25 steps", "latent flow", 25],
	decoder_gs: ["Gaussian decoder", "graph Gaussian decoder"],
	decoder_mesh: ["mesh decoder", "graph mesh decoder"],
	// Theirs makes the vertices' colours, too, and leaves the mesh on the GPU; ours ends on the host.
	"FlexiCubes 256^3": ["FlexiCubes 256^3, with colours", "FlexiCubes 256^3, with colours"],
};

/** Voxels of the figure that both benchmarks use, and cubes of its thinner shell that both make a surface of. */
const voxels = 8645;
const cubes = 371_904;

/**
 * Sets our rows beside a benchmark of PyTorch: the contents of a stage1.json or stage2.json. Parts that we did not measure are left out.
 * Throws code "input" where it is neither.
 */
export function compareWith(json: unknown, rows: readonly BenchRow[]): readonly Comparison[] {
	const parts = stageOneParts.flatMap((part) => rows.filter(({ name, calls }) => name === part && (part !== "diffusion" || calls === 50)));
	const whole = { name: wholeStageOne, calls: 1, elapsedMs: parts.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) };
	const known = parts.length === stageOneParts.length ? [...rows, whole] : rows;
	return theirsOf(json).flatMap(({ name, ms, bytes, row, times, steps }) => {
		const ours = known.find((one) => one.name === row && (steps === undefined || one.calls === steps));
		const part = rows.find((one) => one.name === row.replace(/^graph /, "").replace("denoising", "diffusion"));
		if (ours === undefined) return [];
		return [{ name, oursMs: ours.elapsedMs * times, theirsMs: ms, oursBytes: part?.peakBytes, theirsBytes: bytes }];
	});
}

function theirsOf(json: unknown): readonly Theirs[] {
	if (Array.isArray(json)) {
		return json.flatMap((entry: Record<string, unknown>) => {
			const known = stageTwoRows[String(entry.part)];
			if (known === undefined || (entry.voxels !== voxels && entry.cubes !== cubes)) return [];
			const seconds = Number(entry.part === "flow forward" ? entry.est_25_steps_s : entry.seconds);
			return [
				{
					name: known[0],
					ms: seconds * 1000,
					bytes: Number(entry.peak_gib) * 2 ** 30,
					row: known[1],
					times: 1,
					...(known[2] && { steps: known[2] }),
				},
			];
		});
	}
	const { ms, peak_gb: peaks, ...rest } = (json ?? {}) as Record<string, Record<string, number> | undefined>;
	if (typeof ms !== "object") {
		throw new SyncHumanError("input", "--compare must name a stage1.json or stage2.json of reference/stage*/bench.py.");
	}
	const found: Theirs[] = Object.entries(stageOneRows).flatMap(([key, [name, row, times]]) =>
		ms[key] === undefined ? [] : [{ name, ms: ms[key], bytes: peaks?.[key] === undefined ? undefined : peaks[key] * 2 ** 30, row, times }],
	);
	const estimated = Number(rest.estimated_seconds_50_steps);
	if (Number.isFinite(estimated)) found.push({ name: wholeStageOne, ms: estimated * 1000, bytes: undefined, row: wholeStageOne, times: 1 });
	return found;
}

/** The comparison as lines of a Markdown table; the ratio is PyTorch's time over ours. */
export function comparisonText(comparisons: readonly Comparison[]): string {
	const gigabytes = (bytes: number | undefined) => (bytes === undefined ? "-" : (bytes / 1e9).toFixed(2));
	const lines = comparisons.map(
		({ name, oursMs, theirsMs, oursBytes, theirsBytes }) =>
			`| ${name} | ${oursMs.toFixed(1)} | ${theirsMs.toFixed(1)} | ${(theirsMs / oursMs).toFixed(2)} | ${gigabytes(oursBytes)} | ${gigabytes(theirsBytes)} |\n`,
	);
	return `| part | ours, ms | PyTorch, ms | PyTorch / ours | ours, GB | PyTorch, GB |\n|---|---|---|---|---|---|\n${lines.join("")}`;
}

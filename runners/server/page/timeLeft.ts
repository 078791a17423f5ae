import type { Job, JobProgress } from "./jobs.ts";

/** Seconds of a part of a run. */
export interface PartTime {
	readonly part: string;
	readonly seconds: number;
}

/** What happens to a picture, in words for people, and the engine's parts of it. */
export const phases = Object.freeze([
	{ title: "Reading the picture", parts: ["background", "image embedding", "picture encoding", "picture features"] },
	{ title: "Painting the views", parts: ["diffusion", "view decoding", "structure decoding"] },
	{ title: "Shaping the body", parts: ["view features", "latent flow", "Gaussian decoder", "mesh decoder", "simplify", "repair"] },
	{
		title: "Fitting the texture",
		parts: ["unwrap, texture views", "texture fit", "normal map", "export", "preview"],
	},
] as const);

/** Index of the phase that a part belongs to. */
export function phaseOf(part: string): number {
	return Math.max(
		0,
		phases.findIndex(({ parts }) => (parts as readonly string[]).includes(part)),
	);
}

/** Seconds on one NVIDIA H200 with 50 and 25 steps (README, Results): what is expected before the first job of this server has ended. */
const typical: readonly PartTime[] = Object.entries({
	...{ "image embedding": 0.1, "picture encoding": 0.1, "picture features": 0.1, diffusion: 14, "view decoding": 0.4 },
	...{ "structure decoding": 0.1, "view features": 0.2, "latent flow": 1, "Gaussian decoder": 0.2, "mesh decoder": 0.9 },
	...{ simplify: 0.2, repair: 1.1, "unwrap, texture views": 2.3, "texture fit": 1.4, export: 0.6, preview: 0.4 },
}).map(([part, seconds]) => ({ part, seconds }));

const typicalSteps = Object.freeze({ stage1_steps: 50, stage2_steps: 25 });

/** What an ended run took (`parts` of its run.json), and its steps. */
export interface EndedRun {
	readonly parts: readonly {
		readonly part: string;
		readonly loadSeconds: number;
		readonly compileSeconds: number;
		readonly computeSeconds: number;
	}[];
	readonly steps: number | null;
	readonly stageTwoSteps: number | null;
}

/** What the parts of `job` will take, after what they took in another run, or on a card that this server may not have. */
export function expectedParts(job: Pick<Job, "options" | "stage">, run: EndedRun | undefined): readonly PartTime[] {
	const { stage1_steps, stage2_steps, texture_size } = job.options;
	const before = {
		stage1_steps: run?.steps ?? typicalSteps.stage1_steps,
		stage2_steps: run?.stageTwoSteps ?? typicalSteps.stage2_steps,
	};
	const parts =
		run === undefined
			? typical
			: run.parts.map(({ part, loadSeconds, compileSeconds, computeSeconds }) => ({
					part,
					seconds: loadSeconds + compileSeconds + computeSeconds,
				}));
	return parts
		.filter(({ part }) => {
			const phase = phaseOf(part);
			if (phase >= 2 ? job.stage === "stage1" : job.stage === "stage2") return false;
			return texture_size > 0 || part === "export" || part === "preview" || phase < 3;
		})
		.map(({ part, seconds }) => {
			if (part === "diffusion") return { part, seconds: (seconds * stage1_steps) / before.stage1_steps };
			if (part === "latent flow") return { part, seconds: (seconds * stage2_steps) / before.stage2_steps };
			return { part, seconds };
		});
}

/** How far a job is: its share and that of the phase it is in, in 0..1, and seconds until its end where they can be told. */
export interface Standing {
	readonly share: number;
	readonly phaseShare: number;
	readonly secondsLeft: number | undefined;
}

/**
 * The standing of a job whose parts will take `expected`. The part that runs is believed more than what was expected of it, and, where
 * `measured` is false (no run of this server to go by), what follows is taken to be as much slower or faster as that part.
 */
export function standing(
	{ part, step, steps, elapsed_ms, eta_ms }: JobProgress,
	expected: readonly PartTime[],
	measured: boolean,
): Standing {
	const at = expected.findIndex((one) => one.part === part);
	const total = expected.reduce((sum, { seconds }) => sum + seconds, 0);
	if (at < 0 || total === 0) return { share: 0, phaseShare: 0, secondsLeft: undefined };
	const inPart = steps > 0 ? step / steps : 0;
	const before = expected.slice(0, at).reduce((sum, { seconds }) => sum + seconds, 0);
	const after = expected.slice(at + 1).reduce((sum, { seconds }) => sum + seconds, 0);
	const done = before + inPart * expected[at].seconds;
	const share = Math.min(done / total, 0.99);
	const earlier = secondsOf(expected, (phase) => phase < phaseOf(part));
	const phaseShare = Math.min(
		Math.max(0, done - earlier) /
			Math.max(
				secondsOf(expected, (phase) => phase === phaseOf(part)),
				1e-9,
			),
		1,
	);
	const partLeft = eta_ms === null ? undefined : eta_ms / 1000;
	if (measured) return { share, phaseShare, secondsLeft: (partLeft ?? (1 - inPart) * expected[at].seconds) + after };
	if (partLeft === undefined || inPart === 0 || expected[at].seconds < total / 4) return { share, phaseShare, secondsLeft: undefined };
	const pace = (elapsed_ms / 1000 + partLeft) / expected[at].seconds;
	return { share, phaseShare, secondsLeft: partLeft + after * pace };
}

function secondsOf(expected: readonly PartTime[], isCounted: (phase: number) => boolean): number {
	return expected.reduce((sum, { part, seconds }) => (isCounted(phaseOf(part)) ? sum + seconds : sum), 0);
}

/** Such as "about 2 min left". */
export function timeText(seconds: number): string {
	if (seconds < 2) return "a moment left";
	if (seconds < 60) return `about ${Math.ceil(seconds / 5) * 5} s left`;
	if (seconds < 3600) return `about ${Math.ceil(seconds / 60)} min left`;
	return `about ${(seconds / 3600).toFixed(1)} h left`;
}

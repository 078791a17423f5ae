import { SyncHumanError } from "../engine/error.ts";
import { SyncHuman } from "../engine/synchuman.ts";
import type { GenerateArguments } from "./arguments.ts";
import { generate } from "./generate.ts";
import { onThreads } from "./onThreads.ts";
import { Opener } from "./opener.ts";
import { type OpenedWeights, openWeights } from "./openWeights.ts";
import { viewsEvent } from "./server/viewsEvent.ts";
import type { EngineChoice, WorkerAnswer, WorkerOrder } from "./server/workerMessages.ts";

// The process beside `synchuman serve` that holds the GPU: weights stay where --max-memory lets them. Work that blocks here leaves the server
// answering, and what ends here (a driver's crash, no memory) leaves it alive.

let engine: SyncHuman | undefined;
let stop = new AbortController();

const answer = (message: WorkerAnswer) => void process.send?.(message);

async function start(choice: EngineChoice, preload: boolean): Promise<void> {
	const stages = { stage1: true, stage2: true };
	let weights: OpenedWeights;
	try {
		weights = await openWeights(choice.weights, ["1", "2"]);
	} catch (error) {
		// One stage alone can be served too.
		const [first, second] = await Promise.allSettled([openWeights(choice.weights, ["1"]), openWeights(choice.weights, ["2"])]);
		const found = first.status === "fulfilled" ? first : second;
		if (found.status === "rejected") throw error;
		weights = found.value;
		Object.assign(stages, { stage1: found === first, stage2: found !== first });
	}
	// A software adapter was chosen by name (--adapter software), or is refused.
	engine = await new Opener().engine(SyncHuman.open, false)(choice, weights);
	if (preload && stages.stage1 && stages.stage2) await engine.warmUp();
	answer({ answer: "ready", report: { device: engine.device.report, stages } });
}

async function run(options: GenerateArguments): Promise<void> {
	const opened = engine;
	if (opened === undefined) throw new Error("a run before the start");
	stop = new AbortController();
	opened.measurements.length = 0;
	// Pictures are encoded beside the run, in order; none is told behind its end.
	let encoding = Promise.resolve();
	const ended = generate(options, {
		openEngine: async () => opened,
		...onThreads,
		// Every piece is one JSON line.
		out: (text) => answer({ answer: "event", event: JSON.parse(text) }),
		say: () => {},
		terminal: false,
		signal: stop.signal,
		onViews: (preview) => {
			const told = async () => answer({ answer: "event", event: await viewsEvent(preview) });
			encoding = encoding.then(told).catch(() => undefined);
		},
	});
	await ended.finally(() => encoding);
	answer({ answer: "done" });
}

function failed(error: unknown): void {
	if (error instanceof SyncHumanError) {
		answer({ answer: "failed", code: error.code, message: error.message, hint: error.hint });
		return;
	}
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	answer({ answer: "failed", code: "internal", message: text, hint: undefined });
}

process.on("message", (message: WorkerOrder) => {
	if (message.order === "abort") stop.abort();
	else (message.order === "start" ? start(message.choice, message.preload) : run(message.options)).catch(failed);
});
// Without its server it has nothing to do, however that ended.
process.on("disconnect", () => process.exit());
// The terminal's Ctrl-C reaches both: the server decides what becomes of the job.
process.on("SIGINT", () => {});

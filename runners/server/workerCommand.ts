import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandLine } from "../arguments.ts";
import { workerArguments } from "../serverArguments.ts";
import { processWorker } from "./processWorker.ts";
import { queueWorker } from "./queueWorker.ts";
import { openRedis } from "./redisConnection.ts";

/** How the command speaks, and is told to end. */
export interface CommandVoice {
	readonly out: (text: string) => void;
	readonly say: (text: string) => void;
	readonly signal: AbortSignal;
}

/** `synchuman worker`: does the jobs of a queue until it is told to end. Throws SyncHumanError. */
export async function workerCommand(line: CommandLine, { out, say, signal }: CommandVoice): Promise<void> {
	const options = workerArguments(line, process.env);
	const { weights, dtype, adapter, maxMemory, preload } = options;
	const log = (text: string) => say(`${new Date().toISOString()} ${text}\n`);
	const redis = await openRedis(options.queue, log);
	const folder = mkdtempSync(join(tmpdir(), "synchuman-worker-"));
	try {
		const engine = { weights, dtype, adapter, maxMemory };
		const worker = await queueWorker({ redis, worker: processWorker(engine), engine, preload, folder, log });
		say(`weights: ${weights}\nqueue: ${redis.shown}\n`);
		out(line.values.json === true ? `${JSON.stringify({ event: "working", adapter: worker.adapter })}\n` : `${worker.adapter}\n`);
		const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
		try {
			if (!signal.aborted) await Promise.race([stopped, worker.broken]);
		} finally {
			await worker.close(options.graceMs);
		}
	} finally {
		redis.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

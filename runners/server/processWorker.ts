import { type ChildProcess, fork } from "node:child_process";
import { SyncHumanError } from "../../engine/error.ts";
import type { JobWorker, RunEvent, WorkerReport } from "./worker.ts";
import type { EngineChoice, WorkerAnswer, WorkerOrder } from "./workerMessages.ts";

/** Beside the bundle, or among the sources where they run themselves. */
const engineProgram = new URL(import.meta.url.endsWith(".ts") ? "../engineWorker.ts" : "./engineWorker.js", import.meta.url);

/** What the process was asked last, until it answers. */
interface Asked {
	readonly onEvent: (event: RunEvent) => void;
	readonly resolve: (report: WorkerReport | undefined) => void;
	readonly reject: (error: unknown) => void;
}

/**
 * The worker of `synchuman serve`: the engine in a process of its own (engineWorker.ts). Where that process ends in mid-job, the job fails
 * with code "device" and the next one starts a new process.
 */
export function processWorker(choice: EngineChoice, entry = engineProgram): JobWorker {
	let child: ChildProcess | undefined;
	let asked: Asked | undefined;

	function opened(): ChildProcess {
		const made = fork(entry, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
		made.on("message", (message: WorkerAnswer) => {
			if (message.answer === "event") {
				asked?.onEvent(message.event);
				return;
			}
			const settled = asked;
			asked = undefined;
			if (message.answer === "ready") settled?.resolve(message.report);
			else if (message.answer === "done") settled?.resolve(undefined);
			else if (message.code === "internal") settled?.reject(new Error(message.message));
			else settled?.reject(new SyncHumanError(message.code, message.message, message.hint));
		});
		const ended = (how: string) => {
			if (child === made) child = undefined;
			const settled = asked;
			asked = undefined;
			settled?.reject(
				new SyncHumanError("device", `The process that holds the GPU ended (${how}).`, "Try again; the server's log has its last words."),
			);
		};
		made.on("error", (error) => ended(error.message));
		made.on("exit", (status, signal) => ended(signal ?? `status ${status}`));
		return made;
	}

	function ask(order: WorkerOrder, onEvent: Asked["onEvent"]): Promise<WorkerReport | undefined> {
		child ??= opened();
		const to = child;
		return new Promise((resolve, reject) => {
			asked = { onEvent, resolve, reject };
			to.send(order, (error) => error !== null && reject(error));
		});
	}

	async function start(preload: boolean): Promise<WorkerReport> {
		try {
			return (await ask({ order: "start", choice, preload }, () => {})) as WorkerReport;
		} catch (error) {
			child?.kill("SIGKILL");
			child = undefined;
			throw error;
		}
	}

	return {
		start,
		async run(options, { signal, onEvent }) {
			if (child === undefined) await start(false);
			const abort = () => void child?.send({ order: "abort" } satisfies WorkerOrder, () => {});
			if (signal.aborted) throw new SyncHumanError("aborted", "The run was stopped.");
			signal.addEventListener("abort", abort);
			try {
				await ask({ order: "run", options }, onEvent);
			} finally {
				signal.removeEventListener("abort", abort);
			}
		},
		async close() {
			const last = child;
			child = undefined;
			if (last === undefined || last.exitCode !== null) return;
			await new Promise((closed) => {
				last.once("exit", closed);
				last.kill("SIGKILL");
			});
		},
	};
}

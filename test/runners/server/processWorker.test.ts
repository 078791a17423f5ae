import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, it } from "vitest";
import { generateArguments, parseCommandLine } from "../../../runners/arguments.ts";
import { processWorker } from "../../../runners/server/processWorker.ts";
import type { JobWorker, RunEvent } from "../../../runners/server/worker.ts";

let worker: JobWorker;
afterEach(() => worker.close());

const entry = pathToFileURL(resolve("test/support/crashingEngine.mjs"));
const opened = (weights = "synthetic:tiny") => {
	worker = processWorker({ weights, dtype: undefined, adapter: undefined, maxMemory: undefined }, entry);
	return worker;
};
const job = (seed: number) => generateArguments(parseCommandLine(["generate", "a.png", "-o", "out", "--seed", String(seed)]));

/** Process ids that the events tell. */
async function run(seed: number, signal = new AbortController().signal): Promise<unknown> {
	let pid: unknown;
	const onEvent = (event: RunEvent) => {
		pid = event.pid;
	};
	await worker.run(job(seed), { signal, onEvent });
	return pid;
}

it("one process does one job after the other", async () => {
	expect((await opened().start(false)).device.adapter).toBe("a card");
	expect(await run(0)).toEqual(await run(0));
});

it("a process that crashes fails its job alone", async () => {
	await opened().start(false);
	const before = await run(0);
	await expect(run(1)).rejects.toMatchObject({ code: "device", message: "The process that holds the GPU ended (SIGSEGV)." });
	expect(await run(0)).not.toEqual(before);
	await expect(run(2)).rejects.toThrow("Error: a mistake");
	await expect(run(0)).resolves.toBeDefined();
});

it("a run is stopped, and a start that cannot be says why", async () => {
	await opened().start(false);
	const controller = new AbortController();
	setTimeout(() => controller.abort(), 20);
	await expect(run(3, controller.signal)).rejects.toMatchObject({ code: "aborted" });
	await worker.close();
	await expect(opened("missing").start(false)).rejects.toMatchObject({ code: "checkpoint", message: "missing: is none", hint: "Get it." });
});

it("close ends the process in the middle of a job", async () => {
	await opened().start(false);
	const running = run(3);
	setTimeout(() => void worker.close(), 20);
	await expect(running).rejects.toMatchObject({ code: "device" });
});

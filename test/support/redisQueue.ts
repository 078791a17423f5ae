import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { noRedis, type RedisServer, redisServer } from "./redisServer.ts";
import { type StubWorkerOptions, stubWorker, type TestServer, testServer, testWorker } from "./testServer.ts";

/** What tests of a queue on Redis do with it. What they open and start ends with the test. */
export interface RedisQueue {
	redis(): RedisServer;
	/** URL of a queue that nobody has used. */
	newQueue(): string;
	/** URL of the queue of the server that was opened last. */
	queue(): string;
	/** A server without a worker, on a new queue where the options name none. */
	opened(options?: Parameters<typeof testServer>[0]): Promise<TestServer>;
	/** A worker of that server's queue in this process. */
	worker(stages: StubWorkerOptions, times?: Parameters<typeof testWorker>[2]): ReturnType<typeof testWorker>;
	/** The program in a process of its own, which can be killed, and what it says once it is ready. */
	started(...argv: readonly string[]): Promise<{ readonly child: ChildProcess; readonly said: string }>;
}

/** Tests with a Redis of their own and a program of test/support/ that they may start and kill; skipped where there is no Redis. */
export function describeRedisQueue(title: string, entry: "workerStub" | "servedStub", tests: (parts: RedisQueue) => void): void {
	describe.skipIf(noRedis !== undefined)(`${title}${noRedis === undefined ? "" : ` (skipped: ${noRedis})`}`, () => {
		let redis: RedisServer;
		let server: TestServer | undefined;
		let queue: string;
		let database = 0;
		/** What killed processes leave behind. */
		let left: string;
		// In dist/, as the real program: it looks for package.json in the folder above.
		const program = join("dist", `${entry}-queue-${process.pid}.mjs`);
		const children: ChildProcess[] = [];
		const workers: { close(graceMs?: number): Promise<void> }[] = [];
		beforeAll(async () => {
			redis = await redisServer();
			left = mkdtempSync(join(tmpdir(), "synchuman-left-"));
			const plain = { bundle: true, packages: "external", platform: "node", target: "node20", format: "esm" } as const;
			await build({ entryPoints: [`test/support/${entry}.ts`], outfile: program, ...plain });
		});
		afterEach(async () => {
			for (const child of children.splice(0)) child.kill("SIGKILL");
			for (const worker of workers.splice(0)) await worker.close();
			await server?.end();
			server = undefined;
		});
		afterAll(async () => {
			await redis.end();
			rmSync(program, { force: true });
			rmSync(left, { recursive: true, force: true });
		});

		const newQueue = () => `${redis.url}/${database++}`;
		tests({
			redis: () => redis,
			newQueue,
			queue: () => queue,
			async opened(options = {}) {
				queue = options.queue ?? newQueue();
				server = await testServer({ worker: null, ...options, queue });
				return server;
			},
			async worker(stages, times = {}) {
				const made = await testWorker(queue, stubWorker(stages), times);
				workers.push(made);
				return made;
			},
			async started(...argv) {
				const env = { ...process.env, TMPDIR: left };
				const child = spawn(process.execPath, [program, ...argv], { stdio: ["ignore", "pipe", "inherit"], env });
				children.push(child);
				return { child, said: await new Promise<string>((ready) => child.stdout?.once("data", (text) => ready(String(text)))) };
			},
		});
	});
}

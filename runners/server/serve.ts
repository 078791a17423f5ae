import { hostname } from "node:os";
import { resolve } from "node:path";
import { serve as listen } from "@hono/node-server";
import { SyncHumanError } from "../../engine/error.ts";
import type { ServerArguments } from "../serverArguments.ts";
import { isSystemError } from "../writeFiles.ts";
import { isLoopback } from "./accessRules.ts";
import { serverApp } from "./app.ts";
import { type BodyTimes, type BodyWatch, bodyWatch } from "./bodyWatch.ts";
import { bullmqLine, type WorkDesk } from "./bullmqLine.ts";
import { embeddedLine } from "./embeddedLine.ts";
import type { FetchLimits } from "./fetchPicture.ts";
import type { JobLine } from "./jobLine.ts";
import { JobQueue } from "./jobQueue.ts";
import { openJobStore } from "./jobStore.ts";
import { JobTable } from "./jobTable.ts";
import { pictureCheck } from "./pictureUpload.ts";
import { openRedis } from "./redisConnection.ts";
import type { JobWorker } from "./worker.ts";

/** What a server needs besides its arguments. */
export interface ServerSurroundings {
	/** Its own worker; not used with `--queue`. */
	readonly worker: JobWorker;
	/** A line for people. */
	readonly say: (text: string) => void;
	/** How image_url is fetched where it is on; tests give their own names. */
	readonly fetching?: Partial<FetchLimits>;
	/** Milliseconds between looks into Redis for events that were missed; tests are less patient. */
	readonly checkMs?: number;
	/** How long bodies may take; tests are less patient. */
	readonly bodyTimes?: BodyTimes;
}

/** A server that listens. */
export interface RunningServer {
	/** Such as http://127.0.0.1:8000. */
	readonly url: string;
	readonly queue: JobQueue;
	/** Lets the running job end, or stops it at a step after the time for that; then closes everything. */
	close(): Promise<void>;
}

/** Milliseconds: the headers of a request, fetching image_url, looking for results that are kept too long. */
const times = Object.freeze({ headers: 30_000, fetch: 30_000, evict: 600_000 });

/** An upload; a result of a worker. */
const usualBodyTimes: BodyTimes = Object.freeze({ totalMs: 120_000, idleMs: 60_000 });

/**
 * Starts the server: first the worker or the connection to Redis, so that a server that could do nothing says so at once. Throws
 * SyncHumanError, code "input" where the port is taken or Redis is not there.
 */
export async function serve(options: ServerArguments, surroundings: ServerSurroundings): Promise<RunningServer> {
	const { worker, say, fetching, checkMs, bodyTimes = usualBodyTimes } = surroundings;
	const { host, token, origins, weights, dtype, adapter, maxMemory } = options;
	const loopback = isLoopback(host);
	const log = (text: string) => say(`${new Date().toISOString()} ${text}\n`);
	const store = await openJobStore(resolve(options.jobs));
	let url = "";
	let line: JobLine & Partial<WorkDesk>;
	if (options.queue === undefined) {
		const report = await worker.start(options.preload);
		line = embeddedLine({ worker, report, engine: { weights, dtype, adapter, maxMemory }, log });
		say(`adapter: ${report.device.adapter}${report.device.software ? " (software)" : ""}\nweights: ${weights}\n`);
	} else {
		const redis = await openRedis(options.queue, log);
		const address = () => options.address ?? url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:)/, `//${hostname()}`);
		line = await bullmqLine({ redis, address, ...(checkMs !== undefined && { checkMs }) });
		say(`queue: ${redis.shown}\n`);
	}
	const closeLine = async (graceMs: number) => {
		await line.close(graceMs);
		await worker.close();
	};
	let evicting: NodeJS.Timeout | undefined;
	let stopListening = async () => {};
	try {
		const limits = { waiting: options.maxQueue, runMs: options.runMs, keepMs: options.keepMs, keepBytes: options.keepBytes };
		const queue = new JobQueue({ table: await JobTable.open(store, log), line, limits, log });
		const bodies = bodyWatch(bodyTimes);
		const app = serverApp({
			queue,
			bodies,
			workers: line.workers,
			desk: line.admit === undefined ? undefined : { admit: line.admit },
			token,
			origins,
			loopback,
			// What the workers of a queue have is theirs to say.
			checkPicture: pictureCheck(options.queue === undefined ? weights : undefined),
			maxUpload: options.maxUpload,
			fetching: options.allowUrl ? { timeoutMs: times.fetch, ...fetching } : undefined,
			log,
		});
		// Workers ask at the address that is known once it listens; nobody is answered before every job of the last run is in its place.
		let letIn = () => {};
		const begun = new Promise<void>((resolve) => {
			letIn = resolve;
		});
		const answer: typeof app.fetch = async (...request) => {
			await begun;
			return app.fetch(...request);
		};
		const { server, port } = await opened(answer, options, bodies);
		stopListening = () => {
			const closed = new Promise<void>((done) => server.close(() => done()));
			if ("closeAllConnections" in server) server.closeAllConnections();
			return closed;
		};
		url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
		await queue.begin();
		letIn();
		evicting = setInterval(() => void queue.table.evict(queue.limits), times.evict).unref();
		say(`jobs: ${store.folder}\n`);
		if (!loopback && token === undefined) say("Everybody who reaches this machine can use the server: --token TOKEN closes it.\n");
		return {
			url,
			queue,
			async close() {
				clearInterval(evicting);
				await queue.close(options.graceMs);
				await stopListening();
				await worker.close();
			},
		};
	} catch (error) {
		clearInterval(evicting);
		await stopListening();
		await closeLine(0);
		throw error;
	}
}

function opened(fetch: Parameters<typeof listen>[0]["fetch"], { host, port }: ServerArguments, bodies: BodyWatch) {
	return new Promise<{ readonly server: ReturnType<typeof listen>; readonly port: number }>((ready, failed) => {
		const server = listen(
			{
				fetch,
				hostname: host,
				port,
				serverOptions: {
					requestTimeout: 0,
					headersTimeout: times.headers,
					connectionsCheckingInterval: 5000,
					maxHeaderSize: 16_384,
				},
			},
			(address) => ready({ server, port: address.port }),
		);
		bodies.follow(server);
		server.on("error", (error: Error) => {
			const why = isSystemError(error) && error.code === "EADDRINUSE" ? "is taken" : `cannot be listened at (${error.message})`;
			failed(new SyncHumanError("input", `${host}:${port} ${why}.`, "Choose another --port or --host.", { cause: error }));
		});
	});
}

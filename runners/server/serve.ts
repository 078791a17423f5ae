import { resolve } from "node:path";
import { serve as listen } from "@hono/node-server";
import { SyncHumanError } from "../../engine/error.ts";
import type { ServerArguments } from "../serverArguments.ts";
import { isSystemError } from "../writeFiles.ts";
import { isLoopback } from "./accessRules.ts";
import { serverApp } from "./app.ts";
import type { FetchLimits } from "./fetchPicture.ts";
import { JobQueue } from "./jobQueue.ts";
import { openJobStore } from "./jobStore.ts";
import { JobTable } from "./jobTable.ts";
import { pictureCheck } from "./pictureUpload.ts";
import type { JobWorker } from "./worker.ts";

/** What a server needs besides its arguments. */
export interface ServerSurroundings {
	readonly worker: JobWorker;
	/** A line for people. */
	readonly say: (text: string) => void;
	/** How image_url is fetched where it is on; tests give their own names. */
	readonly fetching?: Partial<FetchLimits>;
}

/** A server that listens. */
export interface RunningServer {
	/** Such as http://127.0.0.1:8000. */
	readonly url: string;
	readonly queue: JobQueue;
	/** Lets the running job end, or stops it at a step after the time for that; then closes everything. */
	close(): Promise<void>;
}

/** Milliseconds: an upload, its headers, fetching image_url, looking for results that are kept too long. */
const times = Object.freeze({ request: 120_000, headers: 30_000, fetch: 30_000, evict: 600_000 });

/**
 * Starts the server: first the worker, so that a server that could do nothing says so at once. Throws SyncHumanError, code "input" where the
 * port is taken.
 */
export async function serve(options: ServerArguments, { worker, say, fetching }: ServerSurroundings): Promise<RunningServer> {
	const { host, token, origins, weights, dtype, adapter, maxMemory } = options;
	const loopback = isLoopback(host);
	const log = (text: string) => say(`${new Date().toISOString()} ${text}\n`);
	const store = await openJobStore(resolve(options.jobs));
	const report = await worker.start(options.preload);
	let queue: JobQueue;
	try {
		queue = await JobQueue.open({
			table: await JobTable.open(store, log),
			worker,
			engine: { weights, dtype, adapter, maxMemory },
			limits: { waiting: options.maxQueue, runMs: options.runMs, keepMs: options.keepMs, keepBytes: options.keepBytes },
			log,
		});
	} catch (error) {
		await worker.close();
		throw error;
	}
	const app = serverApp({
		queue,
		report,
		token,
		origins,
		loopback,
		checkPicture: pictureCheck(options.weights),
		maxUpload: options.maxUpload,
		fetching: options.allowUrl ? { timeoutMs: times.fetch, ...fetching } : undefined,
		log,
	});
	const evicting = setInterval(() => void queue.table.evict(queue.limits), times.evict).unref();
	const { server, port } = await opened(app.fetch, options).catch(async (error) => {
		clearInterval(evicting);
		await queue.close(0);
		await worker.close();
		throw error;
	});
	say(`adapter: ${report.device.adapter}${report.device.software ? " (software)" : ""}\nweights: ${weights}\njobs: ${store.folder}\n`);
	if (!loopback && token === undefined) say("Everybody who reaches this machine can use the server: --token TOKEN closes it.\n");
	const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
	return {
		url,
		queue,
		async close() {
			clearInterval(evicting);
			await queue.close(options.graceMs);
			const closed = new Promise((done) => server.close(done));
			if ("closeAllConnections" in server) server.closeAllConnections();
			await closed;
			await worker.close();
		},
	};
}

function opened(fetch: Parameters<typeof listen>[0]["fetch"], { host, port }: ServerArguments) {
	return new Promise<{ readonly server: ReturnType<typeof listen>; readonly port: number }>((ready, failed) => {
		const server = listen(
			{
				fetch,
				hostname: host,
				port,
				serverOptions: {
					requestTimeout: times.request,
					headersTimeout: times.headers,
					connectionsCheckingInterval: 5000,
					maxHeaderSize: 16_384,
				},
			},
			(address) => ready({ server, port: address.port }),
		);
		server.on("error", (error: Error) => {
			const why = isSystemError(error) && error.code === "EADDRINUSE" ? "is taken" : `cannot be listened at (${error.message})`;
			failed(new SyncHumanError("input", `${host}:${port} ${why}.`, "Choose another --port or --host.", { cause: error }));
		});
	});
}

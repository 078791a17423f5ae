import type { Redis, RedisOptions } from "ioredis";
import { SyncHumanError } from "../../engine/error.ts";
import { usage } from "../optionValues.ts";

/** Name of the queue in Redis; its keys begin with "bull:synchuman:". */
export const queueName = "synchuman";

/** What a job of the queue holds in Redis: where its worker gets everything else. */
export interface QueuedJob {
	/** Address of the server that accepted it, such as http://10.0.0.1:8000. */
	readonly server: string;
	/** What its worker has to show there. */
	readonly key: string;
}

/** Connections to one Redis or Valkey. */
export interface RedisConnections {
	/** The URL without a password. */
	readonly shown: string;
	/** Number of the database in it. */
	readonly database: number;
	/** One more connection. While Redis is away, commands of a patient one wait, those of the other fail at once. */
	connect(patient: boolean): Redis;
	close(): void;
}

/** The URL without its password. */
function withoutPassword(url: string): string {
	return url.replace(/:\/\/.*@/, "://***@");
}

/** Checks a `--queue`. Throws code "input". */
export function queueUrl(given: string): string {
	const right = URL.canParse(given) && /^rediss?:$/.test(new URL(given).protocol) && new URL(given).hostname !== "";
	if (!right)
		throw usage(`--queue must be a URL such as redis://HOST:6379 or rediss://USER:PASSWORD@HOST:6379/0, got ${withoutPassword(given)}`);
	return given;
}

/** The error of a Redis that answers and cannot hold a queue: too old, or closed to what BullMQ asks. */
export function noQueue({ shown }: Pick<RedisConnections, "shown">, cause: unknown): SyncHumanError {
	const why = (cause as Error).message;
	return new SyncHumanError("input", `${shown}: cannot hold the queue (${why}).`, "It must be Redis 5, Valkey 7 or newer.", { cause });
}

/** Milliseconds between attempts to connect again: 0.25 s, doubled each time, up to 5 s. */
const retryStrategy = (attempt: number) => Math.min(250 * 2 ** (attempt - 1), 5000);

/**
 * Connects to Redis once, to see that it is there. From then on a lost connection is one line in the log, and so is its return. Throws code
 * "input" where nothing answers, or not as Redis does.
 */
export async function openRedis(url: string, log: (text: string) => void): Promise<RedisConnections> {
	// Not loaded where the queue is the embedded one.
	const { Redis } = await import("ioredis");
	const shown = withoutPassword(queueUrl(url));
	const probe = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5000, commandTimeout: 5000 });
	let reason: Error | undefined;
	probe.on("error", (error) => {
		reason = error;
	});
	try {
		await probe.connect();
		await probe.ping();
	} catch (error) {
		const why = (reason ?? (error as Error)).message || (reason as NodeJS.ErrnoException | undefined)?.code;
		throw new SyncHumanError("input", `${shown}: no Redis answers there (${why}).`, "Start redis-server, or correct --queue.", {
			cause: error,
		});
	} finally {
		probe.disconnect();
	}
	const clients: Redis[] = [];
	const away = new Set<Redis>();
	let closing = false;
	return {
		shown,
		database: probe.options.db ?? 0,
		connect(patient) {
			const options: RedisOptions = patient
				? { maxRetriesPerRequest: null, retryStrategy }
				: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 5000, retryStrategy };
			const client = new Redis(url, options);
			clients.push(client);
			let reached = false;
			// The reason is in the line that "close" writes, once.
			let last = "";
			client.on("error", (error: Error) => {
				last = ` (${error.message})`;
			});
			client.on("close", () => {
				if (closing || !reached) return;
				if (away.size === 0) log(`${shown}: the connection is lost${last}; trying again`);
				away.add(client);
			});
			client.on("ready", () => {
				reached = true;
				if (away.delete(client) && away.size === 0) log(`${shown}: connected again`);
			});
			return client;
		},
		close() {
			closing = true;
			for (const client of clients) client.disconnect();
		},
	};
}

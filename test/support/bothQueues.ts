import { afterAll, beforeAll, describe } from "vitest";
import { noRedis, type RedisServer, redisServer } from "./redisServer.ts";

/** Which queue a server is to have: an option of testServer. */
export interface QueueChoice {
	readonly queue: string | undefined;
}

/**
 * The same tests with the embedded queue and with BullMQ on a Redis of their own; the second ones are skipped where there is none. Every
 * call of `choice` gives a queue of its own.
 */
export function describeBothQueues(tests: (choice: () => QueueChoice) => void): void {
	describe("embedded queue", () => tests(() => ({ queue: undefined })));
	describe.skipIf(noRedis !== undefined)(`BullMQ on Redis${noRedis === undefined ? "" : ` (skipped: ${noRedis})`}`, () => {
		let redis: RedisServer;
		beforeAll(async () => {
			redis = await redisServer();
		});
		afterAll(() => redis.end());
		let database = 0;
		tests(() => ({ queue: `${redis.url}/${database++}` }));
	});
}

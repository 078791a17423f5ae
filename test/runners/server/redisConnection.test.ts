import { expect, it } from "vitest";
import { queueUrl } from "../../../runners/server/redisConnection.ts";
import { noRedis, redisServer } from "../../support/redisServer.ts";
import { stubWorker, testServer, testWorker } from "../../support/testServer.ts";

it("a queue's URL is redis: or rediss:, and its password is not told", () => {
	for (const good of ["redis://10.0.0.1", "redis://a:b@host:6379/2", "rediss://host:6380"]) expect(queueUrl(good)).toBe(good);
	for (const bad of ["", "redis", "http://host", "redis:", "//host:6379"])
		expect(() => queueUrl(bad)).toThrow("--queue must be a URL such as redis://");
	for (const password of ["secret", "sec@ret", "sec/ret"]) {
		expect(() => queueUrl(`http://me:${password}@host`), password).toThrow("got http://***@host.");
	}
});

it.skipIf(noRedis !== undefined)("a Redis that answers and cannot hold a queue is told by server and worker", async () => {
	const redis = await redisServer();
	try {
		const { Redis } = await import("ioredis");
		const admin = new Redis(redis.url);
		await admin.call("ACL", "SETUSER", "closed", "on", ">secret", "+ping", "+select", "+client");
		admin.disconnect();
		const closed = redis.url.replace("://", "://closed:secret@");
		const told = { code: "input", message: expect.stringMatching(/^redis:\/\/\*\*\*@\S+: cannot hold the queue \(NOPERM .*\)\.$/) };
		await expect(testServer({ queue: closed, worker: null })).rejects.toMatchObject(told);
		await expect(testWorker(closed, stubWorker({}))).rejects.toMatchObject(told);
	} finally {
		await redis.end();
	}
});

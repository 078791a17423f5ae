import { stubWorker, testWorker } from "./testServer.ts";

// A program for tests that kill it: a worker of a queue with the stub of an engine. Arguments: the queue's URL, milliseconds of the first and
// of the second stage, milliseconds of its lock.

const [url, stageMs, stageTwoMs, lockMs] = process.argv.slice(2);
await testWorker(url, stubWorker({ stageMs: Number(stageMs), stageTwoMs: Number(stageTwoMs) }), { lockMs: Number(lockMs) });
process.stdout.write("working\n");

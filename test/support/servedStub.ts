import { serve } from "../../runners/server/serve.ts";
import { serverArguments } from "../../runners/serverArguments.ts";
import { stubWorker } from "./testServer.ts";

// A program for tests that kill it: a server with the stub of an engine. Arguments: folder of the jobs, milliseconds of the first and of the
// second stage, and where workers elsewhere do the jobs the queue's URL.

const [jobs, stageMs, stageTwoMs, queue] = process.argv.slice(2);
const options = serverArguments({ operands: [], values: { port: "0", jobs, "grace-seconds": "0", queue } }, {});
const worker = stubWorker({ stageMs: Number(stageMs), stageTwoMs: Number(stageTwoMs) });
const server = await serve(options, { worker, say: () => {}, checkMs: 250 });
process.stdout.write(`${server.url}\n`);
process.on("SIGTERM", () => void server.close().then(() => process.exit()));

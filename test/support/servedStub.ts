import { serve } from "../../runners/server/serve.ts";
import { serverArguments } from "../../runners/serverArguments.ts";
import { stubWorker } from "./testServer.ts";

// A program for tests that kill it: a server with the stub of an engine. Arguments: folder of the jobs, milliseconds a stage,
// and where workers elsewhere do the jobs the queue's URL.

const [jobs, stageMs, queue] = process.argv.slice(2);
const options = serverArguments({ operands: [], values: { port: "0", jobs, "grace-seconds": "0", queue } }, {});
const server = await serve(options, { worker: stubWorker({ stageMs: Number(stageMs) }), say: () => {}, checkMs: 250 });
process.stdout.write(`${server.url}\n`);
process.on("SIGTERM", () => void server.close().then(() => process.exit()));

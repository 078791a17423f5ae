import { serve } from "../../runners/server/serve.ts";
import { serverArguments } from "../../runners/serverArguments.ts";
import { stubWorker } from "./testServer.ts";

// A program for tests that kill it: a server with the stub of an engine. Arguments: folder of the jobs, milliseconds a stage.

const [jobs, stageMs] = process.argv.slice(2);
const options = serverArguments({ operands: [], values: { port: "0", jobs, "grace-seconds": "0" } }, {});
const server = await serve(options, { worker: stubWorker({ stageMs: Number(stageMs) }), say: () => {} });
process.stdout.write(`${server.url}\n`);
process.on("SIGTERM", () => void server.close().then(() => process.exit()));

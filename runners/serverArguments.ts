import type { GenerateArguments } from "./arguments.ts";
import { byteSize, choice, type OptionValues, real, textOf, usage, whole } from "./optionValues.ts";
import { queueUrl } from "./server/redisConnection.ts";

/** What `synchuman serve` was asked to do. */
export interface ServerArguments extends Pick<GenerateArguments, "weights" | "dtype" | "adapter" | "maxMemory"> {
	readonly host: string;
	/** 0: any that is free. */
	readonly port: number;
	/** Folder of the jobs and their results. */
	readonly jobs: string;
	/** That every request must bring. */
	readonly token: string | undefined;
	/** Origins of other web sites that may ask from a browser. */
	readonly origins: readonly string[];
	readonly allowUrl: boolean;
	/** Whether weights are loaded and kernels compiled before the first job. */
	readonly preload: boolean;
	/** Jobs that wait at most. */
	readonly maxQueue: number;
	/** Bytes of an upload at most. */
	readonly maxUpload: number;
	/** Milliseconds that results are kept, and bytes that they may take. */
	readonly keepMs: number;
	readonly keepBytes: number;
	/** Milliseconds that a job may run. */
	readonly runMs: number;
	/** Milliseconds that the running job has to end when the server is told to. */
	readonly graceMs: number;
	/** Redis or Valkey, where workers take the jobs; undefined: the server has a worker of its own. */
	readonly queue: string | undefined;
	/** Where those workers reach the server. */
	readonly address: string | undefined;
}

/** What `synchuman worker` was asked to do. */
export interface WorkerArguments extends Pick<GenerateArguments, "weights" | "dtype" | "adapter" | "maxMemory"> {
	readonly queue: string;
	readonly preload: boolean;
	/** Milliseconds that the running job has to end when the worker is told to. */
	readonly graceMs: number;
}

/** Options that only `serve` has, for `parseArgs`. */
export const serverOptions = {
	host: { type: "string" },
	port: { type: "string" },
	jobs: { type: "string" },
	token: { type: "string" },
	cors: { type: "string" },
	"allow-url": { type: "boolean" },
	preload: { type: "boolean" },
	"max-queue": { type: "string" },
	"max-upload": { type: "string" },
	"keep-hours": { type: "string" },
	"keep-size": { type: "string" },
	"job-minutes": { type: "string" },
	"grace-seconds": { type: "string" },
	queue: { type: "string" },
	address: { type: "string" },
} as const;

const serverDefaults = Object.freeze({
	host: "127.0.0.1",
	port: 8000,
	jobs: "out/jobs",
	maxQueue: 16,
	maxUpload: 64e6,
	keepHours: 24,
	keepBytes: 10e9,
	jobMinutes: 60,
	graceSeconds: 30,
});

/** Lines of `synchuman --help`. */
export const serverHelp = `\
serve:
  --host NAME, --port N    where it listens (default ${serverDefaults.host}, and PORT or ${serverDefaults.port})
  --token TOKEN            every request must bring it (Authorization: Bearer TOKEN); also SYNCHUMAN_TOKEN
  --cors ORIGINS           web sites whose pages may use it, such as https://example.org,https://example.com (default none)
  --allow-url              permits image_url: pictures from the public internet
  --preload                loads weights and compiles kernels before the first job
  --jobs DIR               folder of jobs and results (default ${serverDefaults.jobs})
  --keep-hours X, --keep-size SIZE
                           how long results are kept, and how much of them (default ${serverDefaults.keepHours}, ${serverDefaults.keepBytes / 1e9}GB)
  --max-queue N            most jobs that wait; further ones get 429 (default ${serverDefaults.maxQueue})
  --max-upload SIZE        largest picture (default ${serverDefaults.maxUpload / 1e6}MB)
  --job-minutes X          longest time that a job may run (default ${serverDefaults.jobMinutes})
  --grace-seconds X        time for the running job to end after SIGTERM; then it is stopped at a step and continues from stage 1
                           at the next start (default ${serverDefaults.graceSeconds})
  --queue URL              redis://HOST:6379 or rediss://...: jobs go to workers on any number of GPUs and hosts; also SYNCHUMAN_QUEUE
  --address URL            where workers reach this server (default http://HOST:PORT of the above)
worker:
  --queue URL              the server's; with --weights, --adapter, --dtype, --max-memory, --preload and --grace-seconds, after which
                           the running job goes back to the queue`;

/** Checks the options of `serve`; `environment` has PORT, SYNCHUMAN_TOKEN and SYNCHUMAN_QUEUE. Throws code "input". */
export function serverArguments(
	{ operands, values }: { readonly operands: readonly string[]; readonly values: OptionValues },
	environment: Readonly<Record<string, string | undefined>>,
): ServerArguments {
	if (operands.length > 0) throw usage(`serve takes no operands, got ${operands.join(", ")}`);
	const queue = queueOf(values, environment);
	const address = textOf(values, "address");
	if (queue === undefined && address !== undefined) throw usage("--address is for workers of a --queue");
	const engines = ["weights", "dtype", "adapter", "max-memory", "preload"].filter((name) => values[name] !== undefined);
	if (queue !== undefined && engines.length > 0) throw usage(`with --queue, --${engines[0]} is for synchuman worker`);
	const hours = real("keep-hours", textOf(values, "keep-hours"), serverDefaults.keepHours, 0, 1e6);
	return {
		host: textOf(values, "host") ?? serverDefaults.host,
		port: whole("port", textOf(values, "port") ?? environment.PORT, serverDefaults.port, 0, 65_535),
		jobs: textOf(values, "jobs") ?? serverDefaults.jobs,
		token: textOf(values, "token") ?? (environment.SYNCHUMAN_TOKEN || undefined),
		origins: (textOf(values, "cors")?.split(",") ?? []).map(origin),
		allowUrl: values["allow-url"] === true,
		preload: values.preload === true,
		maxQueue: whole("max-queue", textOf(values, "max-queue"), serverDefaults.maxQueue, 1, 10_000),
		maxUpload: byteSize("max-upload", textOf(values, "max-upload")) ?? serverDefaults.maxUpload,
		keepMs: hours * 3_600_000,
		keepBytes: byteSize("keep-size", textOf(values, "keep-size")) ?? serverDefaults.keepBytes,
		runMs: real("job-minutes", textOf(values, "job-minutes"), serverDefaults.jobMinutes, 0.01, 10_000) * 60_000,
		graceMs: graceMsOf(values),
		queue,
		address: address === undefined ? undefined : serverAddress(address),
		...engineChoice(values),
	};
}

/** Checks the options of `worker`; `environment` has SYNCHUMAN_QUEUE. Throws code "input". */
export function workerArguments(
	{ operands, values }: { readonly operands: readonly string[]; readonly values: OptionValues },
	environment: Readonly<Record<string, string | undefined>>,
): WorkerArguments {
	if (operands.length > 0) throw usage(`worker takes no operands, got ${operands.join(", ")}`);
	const queue = queueOf(values, environment);
	if (queue === undefined) throw usage("--queue is missing");
	return { queue, preload: values.preload === true, graceMs: graceMsOf(values), ...engineChoice(values) };
}

function queueOf(values: OptionValues, environment: Readonly<Record<string, string | undefined>>): string | undefined {
	const given = textOf(values, "queue") ?? (environment.SYNCHUMAN_QUEUE || undefined);
	return given === undefined ? undefined : queueUrl(given);
}

function graceMsOf(values: OptionValues): number {
	return real("grace-seconds", textOf(values, "grace-seconds"), serverDefaults.graceSeconds, 0, 100_000) * 1000;
}

function engineChoice(values: OptionValues): Pick<WorkerArguments, "weights" | "dtype" | "adapter" | "maxMemory"> {
	const dtype = textOf(values, "dtype");
	return {
		weights: textOf(values, "weights") ?? "ckpts",
		dtype: dtype === undefined ? undefined : choice<"f16" | "f32">("--dtype", dtype, ["f16", "f32"]),
		adapter: textOf(values, "adapter"),
		maxMemory: byteSize("max-memory", textOf(values, "max-memory")),
	};
}

function serverAddress(given: string): string {
	const right = URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);
	if (!right) throw usage(`--address must be a URL such as http://HOST:8000, got ${given}`);
	return given.replace(/\/+$/, "");
}

function origin(given: string): string {
	const text = given.trim();
	if (text === "*") return text;
	if (!URL.canParse(text) || new URL(text).origin !== text) throw usage(`--cors must be origins such as https://example.org, got ${given}`);
	return text;
}

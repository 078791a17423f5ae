import { SyncHumanError } from "../engine/error.ts";
import { samplePerson } from "../engine/image/samplePerson.ts";
import { PsHuman } from "../engine/pshuman.ts";
import { SyncHuman } from "../engine/synchuman.ts";
import {
	type CommandLine,
	demoArguments,
	type GenerateArguments,
	generateArguments,
	helpText,
	parseCommandLine,
	synthesizeArguments,
} from "./arguments.ts";
import { adapterNames, chooseDevice } from "./chooseDevice.ts";
import { doctorCommand } from "./doctor/command.ts";
import { convertCommand, downloadCommand, verifyCommand } from "./download/command.ts";
import { withDriver } from "./driverFetcher.ts";
import { reportError } from "./errorReport.ts";
import { readBytes } from "./files.ts";
import type { Surroundings } from "./generate.ts";
import { generateMany } from "./generateMany.ts";
import { infoText } from "./info.ts";
import { onThreads } from "./onThreads.ts";
import { opening } from "./opener.ts";
import { textOf, usage } from "./optionValues.ts";
import { type PictureTarget, pictureTargets } from "./pictureTargets.ts";
import { bytesText } from "./planText.ts";
import { progressReporter } from "./progressLine.ts";
import { packageVersion } from "./project.ts";
import { pshuman } from "./pshuman.ts";
import { pshumanArguments } from "./pshumanArguments.ts";
import { reconstruct } from "./reconstruct.ts";
import { reconstructArguments } from "./reconstructArguments.ts";
import { render } from "./render.ts";
import { renderArguments } from "./renderArguments.ts";
import { processWorker } from "./server/processWorker.ts";
import { serve } from "./server/serve.ts";
import { workerCommand } from "./server/workerCommand.ts";
import { serverArguments } from "./serverArguments.ts";
import { synthesize } from "./synthesize.ts";
import { synthesizePshuman } from "./synthesizePshuman.ts";

// The command `synchuman`.

const out = (text: string) => void process.stdout.write(text);
const say = (text: string) => void process.stderr.write(text);

/** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once. */
function stopSignal(): AbortSignal {
	const controller = new AbortController();
	const stop = () => {
		if (controller.signal.aborted) process.exit(130);
		say("\nsynchuman: stopping after this step; once more to stop at once\n");
		controller.abort();
	};
	process.on("SIGINT", stop).on("SIGTERM", stop);
	return controller.signal;
}

const voice = () => ({ out, say, terminal: process.stderr.isTTY === true, signal: stopSignal() });

/** What a run that talks and works on threads is given of this process. */
const surroundings = () => ({ ...onThreads, ...voice() });

/** A run over `targets`. The exit status of pictures that failed among others. */
function run(
	options: GenerateArguments,
	targets: readonly PictureTarget[],
	extras: { readonly sample?: Surroundings["sample"]; readonly allowSoftware: boolean; readonly resume?: boolean },
): Promise<number> {
	return opening((opener) =>
		generateMany(options, targets, extras.resume === true, {
			openEngine: opener.engine(SyncHuman.open, extras.allowSoftware),
			...(extras.sample && { sample: extras.sample }),
			...surroundings(),
		}),
	);
}

/** A run of PSHuman. The tiny synthetic weights are made for software adapters, too. */
async function runPshuman(line: CommandLine): Promise<number> {
	const config = textOf(line.values, "config");
	const text = config === undefined ? undefined : new TextDecoder().decode(await readBytes(config, "Give PSHuman's YAML file."));
	const options = pshumanArguments(line, text);
	return opening((opener) =>
		pshuman(options, { openEngine: opener.engine(PsHuman.open, options.weights === "synthetic:tiny"), ...surroundings() }),
	);
}

/** A reconstruction. A software adapter will do: no network runs. */
async function runReconstruct(line: CommandLine): Promise<void> {
	const options = reconstructArguments(line);
	await opening((opener) => reconstruct(options, { openDevice: ({ adapter }) => opener.device(adapter, true), ...surroundings() }));
}

/** Runs `work`; the exit status, which is `work`'s own where it has one. */
async function reported(line: CommandLine, work: () => Promise<unknown>): Promise<number> {
	try {
		const status = await work();
		return typeof status === "number" ? status : 0;
	} catch (error) {
		return reportError(error, { json: line?.values.json === true, out, say });
	}
}

const commands: Readonly<Record<string, (line: CommandLine) => Promise<number>>> = {
	generate: (line) =>
		reported(line, async () => {
			const options = generateArguments(line);
			// The operand of stage 2 alone is a folder of its own kind.
			const targets =
				options.stage === "2" ? [{ picture: options.image, output: options.output }] : await pictureTargets(line.operands, options.output);
			return run(options, targets, { allowSoftware: false, resume: line.values.resume === true });
		}),
	reconstruct: (line) => reported(line, () => runReconstruct(line)),
	pshuman: (line) => reported(line, () => runPshuman(line)),
	demo: (line) =>
		// A driver that cannot be fetched is an error like the run's own, as a JSON line too.
		reported(line, () =>
			withDriver(() =>
				reported(line, async () => {
					const options = demoArguments(line);
					return run(options, [{ picture: undefined, output: options.output }], { sample: samplePerson, allowSoftware: true });
				}),
			),
		),
	synthesize: (line) =>
		reported(line, async () => {
			const { size, folder, model } = synthesizeArguments(line);
			const write = model === "pshuman" ? synthesizePshuman : synthesize;
			await write(size, folder, { signal: stopSignal(), onFile: (path, byteLength) => say(`${path}: ${bytesText(byteLength)}\n`) });
			out(`${folder}\n`);
		}),
	render: (line) =>
		reported(line, async () => {
			const options = renderArguments(line);
			const json = line.values.json === true;
			const progress = progressReporter({ json, terminal: process.stderr.isTTY === true, write: json ? out : say });
			const context = {
				maxMemory: options.maxMemory,
				onProgress: progress.report,
				onPlan: undefined,
				signal: stopSignal(),
				measurements: [],
			};
			try {
				await render(options, context, () => chooseDevice({ adapter: options.adapter, allowSoftware: true }));
			} finally {
				progress.end();
			}
			out(json ? `${JSON.stringify({ event: "result", files: [options.output] })}\n` : `${options.output}\n`);
		}),
	download: (line) => reported(line, () => downloadCommand(line, voice())),
	verify: (line) => reported(line, () => verifyCommand(line, voice())),
	convert: (line) => reported(line, () => convertCommand(line, voice())),
	doctor: (line) => reported(line, () => doctorCommand(line, out)),
	serve: (line) =>
		reported(line, async () => {
			const options = serverArguments(line, process.env);
			const stop = stopSignal();
			const server = await serve(options, { worker: processWorker(options), say });
			out(line.values.json === true ? `${JSON.stringify({ event: "listening", url: server.url })}\n` : `${server.url}\n`);
			if (!stop.aborted) await new Promise((stopped) => stop.addEventListener("abort", stopped));
			await server.close();
		}),
	worker: (line) => reported(line, () => workerCommand(line, voice())),
	info: (line) =>
		reported(line, async () => {
			if (line.operands.length > 0) throw usage(`info takes no ${line.operands.join(", ")}`);
			const device = await chooseDevice({ adapter: line.values.adapter as string | undefined, allowSoftware: true });
			const info = { ...device.report, adapters: await adapterNames() };
			device.close();
			out(line.values.json === true ? `${JSON.stringify(info)}\n` : infoText(info));
		}),
};

async function main(argv: readonly string[]): Promise<number> {
	const line = parseCommandLine(argv);
	if (line.values.version === true) {
		out(`${packageVersion()}\n`);
		return 0;
	}
	if (line.values.help === true || line.command === "help") {
		out(`${helpText}\n`);
		return 0;
	}
	const command = line.command === undefined ? undefined : commands[line.command];
	if (command !== undefined) return command(line);
	throw new SyncHumanError(
		"input",
		line.command === undefined ? "A command is missing." : `There is no command "${line.command}".`,
		"See synchuman --help.",
	);
}

// A reader that has seen enough (`synchuman info | head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") throw error;
});
try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	process.exitCode = reportError(error, { json: false, out, say });
}

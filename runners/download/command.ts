import { createInterface } from "node:readline/promises";
import { SyncHumanError } from "../../engine/error.ts";
import type { CommandLine } from "../arguments.ts";
import { textOf, usage, whole } from "../optionValues.ts";
import { bytesText } from "../planText.ts";
import { convertWeights } from "./convert.ts";
import { type DownloadRequest, downloadWeights } from "./download.ts";
import { verifyWeights } from "./verify.ts";

// The commands `synchuman download`, `verify` and `convert`.

/** How a command talks. */
export interface Voice {
	readonly out: (text: string) => void;
	readonly say: (text: string) => void;
	/** Whether a person sits there. */
	readonly terminal: boolean;
	readonly signal: AbortSignal;
}

const defaultFolder = "ckpts";

/** Checks the options of `download`. Throws code "input". */
function downloadArguments({ operands, values }: CommandLine, environment: NodeJS.ProcessEnv): DownloadRequest {
	if (operands.length > 0) throw usage(`download takes no ${operands.join(", ")}; the folder is --dir`);
	const hub = environment.HF_ENDPOINT || "https://huggingface.co";
	if (!/^https?:\/\/[^/]/.test(hub))
		throw new SyncHumanError("input", `HF_ENDPOINT must be a URL, is ${hub}.`, "Unset it, or give http(s)://HOST.");
	return {
		folder: textOf(values, "dir") ?? defaultFolder,
		acceptLicences: values["accept-licences"] === true,
		parallel: whole("parallel", textOf(values, "parallel"), 4, 1, 32),
		hub: hub.replace(/\/+$/, ""),
		mirror: textOf(values, "mirror"),
		only: (textOf(values, "only") ?? "")
			.split(",")
			.map((name) => name.trim())
			.filter((name) => name !== ""),
	};
}

/** `synchuman download`. */
export async function downloadCommand(line: CommandLine, { out, say, terminal, signal }: Voice): Promise<void> {
	const request = downloadArguments(line, process.env);
	const started = performance.now();
	let [first, shown] = [undefined as number | undefined, 0];
	const progress = (done: number, total: number | undefined) => {
		first ??= done;
		const now = performance.now();
		if (!terminal || now - shown < 250) return;
		shown = now;
		const rate = ((done - first) / (now - started)) * 1000;
		const left = total === undefined || rate <= 0 ? "" : `, ${Math.ceil((total - done) / rate)} s left`;
		say(`\r\x1b[2K${bytesText(done)}${total === undefined ? "" : ` of ${bytesText(total)}`}, ${bytesText(Math.round(rate))}/s${left}`);
	};
	const remark = (text: string) => say(`${terminal && shown > 0 ? "\r\x1b[2K" : ""}${text}\n`);
	await downloadWeights(request, {
		network: {
			token: process.env.HF_TOKEN || undefined,
			signal,
			onRetry: (problem, waitMs) => remark(`${problem}; again in ${(waitMs / 1000).toFixed(0)} s`),
		},
		ask: terminal && process.stdin.isTTY === true ? askPerson : undefined,
		say: remark,
		onProgress: progress,
	});
	if (terminal && shown > 0) say("\n");
	out(`${request.folder}\n`);
}

async function askPerson(question: string): Promise<boolean> {
	const lines = createInterface({ input: process.stdin, output: process.stderr });
	try {
		return /^y(es)?$/i.test((await lines.question(question)).trim());
	} finally {
		lines.close();
	}
}

/** `synchuman verify [DIR|FILE]`. */
export async function verifyCommand({ operands, values }: CommandLine, { out, say }: Voice): Promise<void> {
	if (operands.length > 1) throw usage(`verify takes one folder (or a file of U^2-Net), got ${operands.join(", ")}`);
	const folder = operands[0] ?? textOf(values, "dir") ?? textOf(values, "weights") ?? defaultFolder;
	const { networks, hashed, locked } = await verifyWeights(folder, (name) => say(`${name}: as recorded\n`));
	say(
		locked
			? `${networks.join(", ")}: all tensors fit their networks; ${hashed} files are as recorded\n`
			: `${networks.join(", ")}: all tensors fit their networks; there is no lock to compare hashes with\n`,
	);
	out(`${folder}\n`);
}

/** `synchuman convert DIR -o DIR`. */
export async function convertCommand({ operands, values }: CommandLine, { out, say, signal }: Voice): Promise<void> {
	const [from, ...more] = operands;
	const to = textOf(values, "output");
	if (from === undefined || to === undefined || more.length > 0) throw usage("convert takes a weights folder, and -o DIR for the copy");
	await convertWeights(from, to, { signal, onFile: (path, byteLength) => say(`${path}: ${bytesText(byteLength)}\n`) });
	out(`${to}\n`);
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** How the program ended, and all it wrote. */
export interface Ended {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** How the program is started. */
export interface Start {
	readonly cwd: string;
	readonly env?: NodeJS.ProcessEnv;
	/** Shell text before the command, such as limits. */
	readonly before?: string;
	/** Called with every piece of standard output. */
	readonly onOutput?: (child: ChildProcess, text: string) => void;
}

const program = resolve("dist/cli.js");

/** Makes dist/ from the sources as they are. Throws where that fails. */
export function bundle(): void {
	const made = spawnSync(process.execPath, ["runners/bundle.mjs"], { encoding: "utf8" });
	if (made.status !== 0) throw new Error(`bundle.mjs: ${made.stderr}`);
}

/** Runs `synchuman` with these arguments, as users do: the bundle in a process of its own. */
export function synchuman(argv: readonly string[], { cwd, env = {}, before, onOutput }: Start): Promise<Ended> {
	const command = [process.execPath, program, ...argv];
	const [file, args] = before === undefined ? [command[0], command.slice(1)] : ["bash", ["-c", `${before}; exec "$@"`, "bash", ...command]];
	return new Promise((settle, reject) => {
		const child = spawn(file, args, { env: { ...process.env, ...env }, cwd, stdio: ["ignore", "pipe", "pipe"] });
		let [stdout, stderr] = ["", ""];
		child.stdout.on("data", (text) => {
			stdout += text;
			onOutput?.(child, String(text));
		});
		child.stderr.on("data", (text) => {
			stderr += text;
		});
		child.on("error", reject);
		child.on("close", (status) => settle({ status, stdout, stderr }));
	});
}

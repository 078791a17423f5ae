import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { SeenJob } from "./testServer.ts";

/** The programs of documents as tests run them: as they stand, with what makes them cheap on a CPU behind it. */
const programs: Readonly<Record<string, string>> = {
	npx: 'exec "$@"',
	synchuman: `command=$1; shift
case $command in
	generate) set -- "$@" --weights synthetic:tiny --adapter software --steps 1 --stage2-steps 1 --texture-size 0 --no-preview ;;
	pshuman) set -- "$@" --adapter software --steps 1 --texture-size 0 --no-preview ;;
	reconstruct) set -- "$@" --adapter software --texture-size 0 --no-preview ;;
	render) set -- "$@" --adapter software --size 64 --frames 2 ;;
	doctor | info) set -- "$@" --adapter software ;;
	serve) set -- "$@" --weights synthetic:tiny --adapter software --port 0 --jobs jobs --json ;;
esac
exec "$NODE" "$PROGRAM" "$command" "$@"`,
	deno: `task=$2; shift 2
case $task in
	generate) set -- "$@" --weights synthetic:tiny --adapter software --steps 1 --stage2-steps 1 --texture-size 0 --no-preview ;;
	serve) set -- "$@" --weights synthetic:tiny --adapter software --port 0 --jobs jobs --json ;;
esac
exec "$DENO" task "$task" "$@"`,
	curl: `case "$*" in
	*/generate*)
		for field in stage1_steps=1 stage2_steps=1 texture_size=0; do
			case "$*" in *"\${field%=*}="*) ;; *) set -- -F "$field" "$@" ;; esac
		done ;;
esac
exec "$CURL" -sS --fail-with-body "$@"`,
};

/** How a command ended. */
export interface CommandEnd {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** A folder in which documented commands run: what a clone with dist/ has, with programs in front of it that are cheap. */
export class DocumentedShell {
	/** Where commands run. */
	readonly folder = mkdtempSync(join(tmpdir(), "synchuman-documents-"));
	/** Whether there is curl; its lines cannot run without. */
	readonly hasCurl: boolean;
	readonly #environment: NodeJS.ProcessEnv;
	#server: { readonly child: ChildProcess; readonly url: string } | undefined;
	/** The command of the server that is meant, which runs or has run. */
	#serving = "";
	readonly #done = new Set<string>();

	/** `deno`: path of the program, for documents that use it. */
	constructor(deno?: string) {
		const bin = join(this.folder, ".bin");
		mkdirSync(bin);
		for (const [name, text] of Object.entries(programs)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
		// The program is copied: other tests bundle it again meanwhile.
		cpSync(resolve("dist"), join(this.folder, "dist"), { recursive: true });
		for (const name of readdirSync(resolve("."))) {
			if (!/^(\..*|dist|out|ckpts|photos?)$/.test(name)) symlinkSync(resolve(name), join(this.folder, name));
		}
		const path = process.env.PATH ?? "";
		const curl = path
			.split(delimiter)
			.map((place) => join(place, "curl"))
			.find((file) => existsSync(file));
		this.hasCurl = curl !== undefined;
		const plain = Object.entries(process.env).filter(([name]) => !name.startsWith("npm_") && !name.startsWith("VITEST"));
		this.#environment = {
			...Object.fromEntries(plain),
			PATH: `${bin}${delimiter}${path}`,
			NODE: process.execPath,
			PROGRAM: join(this.folder, "dist", "cli.js"),
			...(deno !== undefined && { DENO: deno }),
			CURL: curl,
			NO_COLOR: "1",
		};
	}

	/** Runs a command, or nothing where it has run before: undefined then. A server stays until the next one. */
	async run(command: string): Promise<CommandEnd | undefined> {
		if (/\bserve\b/.test(command)) this.#serving = command;
		const asks = command.includes("127.0.0.1:8000");
		const key = asks ? `${this.#serving} ${command}` : command;
		if (this.#done.has(key)) return undefined;
		this.#done.add(key);
		if (command === this.#serving) return this.#serve();
		if (!asks) return this.#ended(this.#spawn(command));
		if (this.#server === undefined) await this.#serve();
		const job = command.includes("JOB_ID") ? await this.#job() : "";
		const text = command.replace("http://127.0.0.1:8000", `${this.#server?.url}`).replace("JOB_ID", job);
		const ended = await this.#ended(this.#spawn(text));
		if (command.includes("-X DELETE")) await this.#settled();
		return ended;
	}

	/** Ends the server; its exit status, undefined where there is none. */
	async end(): Promise<number | null | undefined> {
		if (this.#server === undefined) return undefined;
		const { child } = this.#server;
		this.#server = undefined;
		const status = new Promise<number | null>((done) => child.once("exit", done));
		child.kill("SIGTERM");
		return status;
	}

	/** Ends the server and removes the folder. */
	async close(): Promise<void> {
		const { child } = this.#server ?? {};
		this.#server = undefined;
		child?.kill("SIGKILL");
		rmSync(this.folder, { recursive: true, force: true });
	}

	#spawn(text: string): ChildProcess {
		return spawn("bash", ["-c", `set -e; ${text}`], { cwd: this.folder, env: this.#environment, stdio: ["ignore", "pipe", "pipe"] });
	}

	#ended(child: ChildProcess): Promise<CommandEnd> {
		let [stdout, stderr] = ["", ""];
		child.stdout?.on("data", (text) => {
			stdout += text;
		});
		child.stderr?.on("data", (text) => {
			stderr += text;
		});
		return new Promise((settle, failed) => {
			child.on("error", failed);
			child.on("close", (status) => settle({ status, stdout, stderr }));
		});
	}

	async #serve(): Promise<CommandEnd> {
		await this.end();
		const child = this.#spawn(`exec ${this.#serving}`);
		const ended = this.#ended(child);
		const first = new Promise<string>((ready) => child.stdout?.once("data", (text) => ready(String(text))));
		const said = await Promise.race([first, ended]);
		if (typeof said !== "string") return said;
		const { port } = new URL((JSON.parse(said) as { readonly url: string }).url);
		this.#server = { child, url: `http://127.0.0.1:${port}` };
		return { status: 0, stdout: said, stderr: "" };
	}

	async #jobs(): Promise<readonly SeenJob[]> {
		const answer = await fetch(`${this.#server?.url}/jobs`);
		return ((await answer.json()) as { readonly jobs: readonly SeenJob[] }).jobs;
	}

	/** JOB_ID: the job that waits or runs, else the newest that is done. */
	async #job(): Promise<string> {
		const jobs = await this.#jobs();
		const job = jobs.find(({ status }) => ["queued", "running"].includes(status)) ?? jobs.find(({ status }) => status === "done");
		if (job === undefined) throw new Error(`no job is done: ${JSON.stringify(jobs)}`);
		return job.job_id;
	}

	/** No job waits or runs. */
	async #settled(): Promise<void> {
		while ((await this.#jobs()).some(({ status }) => ["queued", "running"].includes(status))) {
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
}

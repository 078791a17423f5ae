import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why there is no Redis on this machine; undefined where there is one (Debian: apt-get install redis-server). */
export const noRedis: string | undefined =
	spawnSync("redis-server", ["--version"]).status === 0 ? undefined : "redis-server is not installed";

/** A Redis of a test's own. */
export interface RedisServer {
	readonly url: string;
	/** Ends it as a crash does. */
	kill(): Promise<void>;
	/** Starts it again, with nothing in it, at the same port. */
	restart(): Promise<void>;
	end(): Promise<void>;
}

/** A port of this machine that nothing listens at. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
	const { port } = server.address() as { readonly port: number };
	await new Promise((closed) => server.close(closed));
	return port;
}

/** Starts a Redis on a free port of this machine, which keeps nothing on the disk. */
export async function redisServer(): Promise<RedisServer> {
	const folder = mkdtempSync(join(tmpdir(), "synchuman-redis-"));
	const port = await freePort();
	let child: ChildProcess;
	const start = () => {
		const options = [
			"--port",
			String(port),
			"--bind",
			"127.0.0.1",
			"--save",
			"",
			"--appendonly",
			"no",
			"--databases",
			"100",
			"--dir",
			folder,
		];
		child = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
		return new Promise<void>((ready, failed) => {
			let said = "";
			child.once("exit", (status) => failed(new Error(`redis-server ended with ${status}: ${said}`)));
			child.stdout?.on("data", (text) => {
				said += text;
				if (said.includes("Ready to accept connections")) ready();
			});
		});
	};
	const kill = async () => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		const ended = new Promise((done) => child.once("exit", done));
		child.kill("SIGKILL");
		await ended;
	};
	await start();
	return {
		url: `redis://127.0.0.1:${port}`,
		kill,
		restart: start,
		async end() {
			await kill();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

import { spawnSync } from "node:child_process";
import { SyncHumanError } from "../../engine/error.ts";
import type { AdapterInfo } from "../info.ts";
import { runtimeArguments } from "../project.ts";

/**
 * What `synchuman info` finds, in a process of its own: Dawn and drivers write their troubles to standard error, and a broken driver ends
 * the process. Throws code "device".
 */
export function probeAdapter(adapter: string | undefined): AdapterInfo {
	const command = ["info", "--json", ...(adapter === undefined ? [] : ["--adapter", adapter])];
	const ran = spawnSync(process.execPath, [...runtimeArguments(), process.argv[1], ...command], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "ignore"],
		timeout: 120_000,
	});
	const answer = readAnswer(ran.stdout);
	if (ran.status === 0 && answer !== undefined) return answer as AdapterInfo;
	const message = (answer as { message?: string } | undefined)?.message;
	const ended = ran.signal ?? ran.error?.message ?? `status ${ran.status}`;
	throw new SyncHumanError("device", message ?? `The driver ended the process that opened the adapter (${ended}).`);
}

function readAnswer(text: string | null): object | undefined {
	try {
		return JSON.parse((text ?? "").trim().split("\n").at(-1) ?? "");
	} catch {
		return undefined;
	}
}

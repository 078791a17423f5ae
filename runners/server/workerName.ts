import { hostname } from "node:os";
import type { WorkerReport } from "./worker.ts";

/** What a worker's connection to Redis is called, so that servers see who is there: its report, in letters that Redis takes. */
export function workerName({ device: { adapter, driver, software, f16 }, stages }: WorkerReport): string {
	const told: WorkerReport = { device: { adapter, driver, software, f16 }, stages, host: hostname() };
	return Buffer.from(JSON.stringify(told)).toString("base64url");
}

/** The report in a connection's name; undefined where it is none. */
export function readWorkerName(connection: string | undefined): WorkerReport | undefined {
	const name = /:w:([\w-]+)$/.exec(connection ?? "")?.[1];
	if (name === undefined) return undefined;
	try {
		const report = JSON.parse(Buffer.from(name, "base64url").toString("utf8"));
		return typeof report?.device?.adapter === "string" && typeof report.stages?.stage1 === "boolean" ? report : undefined;
	} catch {
		return undefined;
	}
}

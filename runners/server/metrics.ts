import type { JobQueue } from "./jobQueue.ts";

/** Answers so far by HTTP status. */
export type AnswerCounts = Map<number, number>;

/** The state of the server in Prometheus' text format. */
export function metricsText(queue: JobQueue, answers: AnswerCounts): string {
	const lines: string[] = [];
	const metric = (name: string, type: "counter" | "gauge", help: string, values: readonly (readonly [labels: string, value: number])[]) => {
		lines.push(`# HELP synchuman_${name} ${help}`, `# TYPE synchuman_${name} ${type}`);
		for (const [labels, value] of values) lines.push(`synchuman_${name}${labels === "" ? "" : `{${labels}}`} ${value}`);
	};
	const { counts } = queue.table;
	metric(
		"jobs_total",
		"counter",
		"Jobs that ended, by status.",
		Object.entries(counts).map(([status, count]) => [`status="${status}"`, count]),
	);
	metric("jobs_waiting", "gauge", "Jobs in the queue.", [["", queue.waiting]]);
	metric("jobs_waiting_limit", "gauge", "Jobs that may wait.", [["", queue.limits.waiting]]);
	metric("jobs_running", "gauge", "Jobs that run.", [["", queue.running]]);
	metric("jobs_kept", "gauge", "Jobs whose results are kept.", [["", queue.table.list().length]]);
	metric("results_bytes", "gauge", "Bytes of all kept jobs.", [["", queue.table.byteLength]]);
	metric("run_seconds_total", "counter", "Seconds that jobs ran.", [["", Math.round(queue.runSeconds * 1000) / 1000]]);
	const sorted = [...answers].sort(([a], [b]) => a - b);
	metric(
		"http_answers_total",
		"counter",
		"Answers by HTTP status.",
		sorted.map(([status, count]) => [`status="${status}"`, count]),
	);
	metric("uptime_seconds", "gauge", "Seconds since the process began.", [["", Math.round(process.uptime())]]);
	metric("resident_memory_bytes", "gauge", "Memory of the server's process, without the engine's.", [["", process.memoryUsage.rss()]]);
	return `${lines.join("\n")}\n`;
}

import type { MemoryPlan } from "../engine/stages/part.ts";

/** Bytes for people: "1.2 GiB". */
export function bytesText(bytes: number): string {
	if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
	if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
	return `${Math.ceil(bytes / 2 ** 10)} KiB`;
}

/** One line about the GPU memory of a stage, part by part. */
export function planText({ stage, parts, residentBytes, peakBytes }: MemoryPlan): string {
	return `${stage}: at most ${bytesText(peakBytes)} of GPU memory (${residentBytes > 0 ? `weights that stay ${bytesText(residentBytes)}, ` : ""}${parts.map(({ part, bytes }) => `${part} ${bytesText(bytes)}`).join(", ")})`;
}

import type { DeviceReport } from "../engine/gpu/device.ts";
import { sameAdapter } from "./chooseDevice.ts";
import { bytesText } from "./planText.ts";

/** What `synchuman info --json` prints. */
export interface AdapterInfo extends DeviceReport {
	/** Names of all adapters, for --adapter; this one among them. */
	readonly adapters: readonly string[];
}

/** Name and value of everything that `synchuman info` prints. */
export function infoRows(report: DeviceReport): readonly (readonly [name: string, value: string])[] {
	const { limits, subgroupSizes } = report;
	const yes = (value: boolean) => (value ? "yes" : "no");
	return [
		["adapter", `${report.adapter}${report.software ? " (software: for tests)" : ""}`],
		["driver", report.driver],
		["vendor", [report.vendor, report.architecture].filter((text) => text !== "").join(", ")],
		["shader-f16", yes(report.f16)],
		["subgroups", report.subgroups ? `yes, ${subgroupSizes[0]} to ${subgroupSizes[1]} lanes` : "no"],
		["subgroup matrices", report.subgroupMatrixShapes.join(", ") || "no"],
		["timestamps", yes(report.timestamps)],
		["largest buffer", bytesText(limits.maxBufferSize)],
		["largest binding", bytesText(limits.maxStorageBufferBindingSize)],
		["workgroup memory", bytesText(limits.maxComputeWorkgroupStorageSize)],
		["invocations a workgroup", String(limits.maxComputeInvocationsPerWorkgroup)],
	];
}

/** The names in `adapters` that mean another adapter. */
export function otherAdapters({ adapter, adapters }: AdapterInfo): readonly string[] {
	return adapters.filter((name) => !sameAdapter(name, adapter));
}

/** What `synchuman info` prints. */
export function infoText(info: AdapterInfo): string {
	const others = otherAdapters(info);
	return [...infoRows(info), ...(others.length === 0 ? [] : [["other adapters", others.join(", ")] as const])]
		.map(([name, value]) => `${name.padEnd(24)}${value}\n`)
		.join("");
}

import type { DeviceReport } from "../engine/gpu/device.ts";
import { bytesText } from "./planText.ts";

/** What `synchuman info` prints. */
export function infoText(report: DeviceReport): string {
	const { limits, subgroupSizes } = report;
	const yes = (value: boolean) => (value ? "yes" : "no");
	const rows: readonly (readonly [string, string])[] = [
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
	return rows.map(([name, value]) => `${name.padEnd(24)}${value}\n`).join("");
}

import type { DeviceReport } from "../../gpu/device.ts";

/** Whether kernels on subgroup matrices run: products of 16x16x16 halves summed in f32, in subgroups of 32. */
export function hasSubgroupMatrices(report: DeviceReport): boolean {
	return report.subgroupMatrixShapes.includes("f16->f32 16x16x16") && report.subgroupSizes.every((size) => size === 32);
}

import type { DeviceReport } from "../../gpu/device.ts";

/** Whether kernels on subgroup matrices run: products of 16x16x16 halves summed in f32, in subgroups of 32. */
export function hasSubgroupMatrices(report: DeviceReport): boolean {
	return report.subgroupMatrixShapes.includes("f16->f32 16x16x16") && report.subgroupSizes.every((size) => size === 32);
}

/** Of the H200 by whose times work is divided among workgroups: what follows from it is right on any device, and fast on that one. */
export const multiprocessors = 132;

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { matmul, matmulAndNorm } from "../../../engine/kernels/dense/matmul.ts";
import { testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("chooseMatmulKernel", () => {
	it("chooses the kernel by shape", () => {
		const report = { ...device.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
		const chosen = (rows: number, channels: number, columns: number, gated = false) => {
			const graph = new Graph({ ...device, report }, "choice");
			matmul(graph, { x: graph.input("x", "f16", [rows, channels]), weight: graph.input("w", "f16", [columns, channels]), gated });
			return graph.dispatches[0].variant.shader;
		};
		expect(chosen(65, 32, 4)).toBe("dense/matmulSubgroupMatrix");
		expect(chosen(65, 32, 8, true)).toBe("dense/matmulSubgroupMatrix");
		expect(chosen(64, 32, 128)).toBe("dense/matmul");
		expect(chosen(65, 48, 128)).toBe("dense/matmul");
		expect(chosen(65, 32, 130)).toBe("dense/matmul");
		expect(chosen(65, 32, 20, true)).toBe("dense/matmul");
		expect(chosen(65, 32, 3)).toBe("dense/matmulFewColumns");
		expect(chosen(65, 6, 3)).toBe("dense/matmul");
	});

	it("chooses tiles of subgroup matrices and parts of sums that keep a large GPU busy", () => {
		const report = { ...device.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
		const division = (rows: number, columns: number, channels: number) => {
			const graph = new Graph({ ...device, report }, "choice");
			matmul(graph, { x: graph.input("x", "f16", [rows, channels]), weight: graph.input("w", "f16", [columns, channels]) });
			const [{ variant, params, workgroups }] = graph.dispatches;
			return [variant.overrides?.fragmentColumns, params.columnTiles, params.parts, workgroups[0], graph.dispatches.length];
		};
		expect(division(184_320, 320, 320)).toEqual([5, 2, 1, 2880, 1]);
		expect(division(8192, 4096, 1024)).toEqual([5, 26, 1, 1664, 1]);
		expect(division(8192, 1024, 4096)).toEqual([4, 8, 1, 512, 1]);
		expect(division(514, 1280, 5120)).toEqual([4, 10, 5, 250, 2]);
		expect(division(1374, 1024, 4096)).toEqual([4, 8, 3, 264, 2]);
		expect(division(65, 8, 64)).toEqual([4, 1, 1, 1, 1]);
	});

	it("gives a multiprocessor's whole memory to a tile where tiles are few", () => {
		const limits = { ...device.report.limits, maxComputeWorkgroupStorageSize: 49_152, maxComputeInvocationsPerWorkgroup: 1024 };
		const subgroupMatrixShapes = ["f16->f32 16x16x16", "f16->f32 16x8x16"];
		const report = { ...device.report, limits, subgroupMatrixShapes, subgroupSizes: [32, 32] as const };
		const chosen = (rows: number, channels: number, columns: number) => {
			const graph = new Graph({ ...device, report }, "choice");
			matmul(graph, { x: graph.input("x", "f16", [rows, channels]), weight: graph.input("w", "f16", [columns, channels]) });
			return graph.dispatches[0].variant.shader;
		};
		expect(chosen(514, 1280, 3840)).toBe("dense/matmulFewTiles");
		expect(chosen(8645, 3072, 768)).toBe("dense/matmulFewTiles");
		expect(chosen(46_080, 2560, 640)).toBe("dense/matmulSubgroupMatrix");
		expect(chosen(1374, 1024, 1024)).toBe("dense/matmulFewTiles");
		const graph = new Graph({ ...device, report }, "choice");
		const product = { x: graph.input("x", "f16", [1374, 1024]), weight: graph.input("w", "f16", [1024, 1024]) };
		matmulAndNorm(graph, product, { eps: 1e-6, outputDtype: "f16", label: "norm" });
		expect(graph.dispatches.map(({ variant }) => variant.shader)).toEqual(["dense/matmulParts", "dense/matmulPartsNorm"]);
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { dualVertices } from "../../../engine/kernels/mesh/dualVertices.ts";
import { edges } from "../../support/flexicubesReference.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

const absent = 0xffffffff;

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

interface Case {
	readonly features: Float32Array;
	readonly columns: number;
	readonly weightColumn: number;
	readonly featureRows: Uint32Array;
	readonly corners: Uint32Array;
	readonly points: Float32Array;
	readonly channels: number;
	readonly duals: Uint32Array;
}

/** In f64: [d, 3] x, y, z, [d, channels - 4] colours, [d] gamma. */
function reference({ features, columns, weightColumn, featureRows, corners, points, channels, duals }: Case): number[] {
	const [positions, colors, gammas]: number[][] = [[], [], []];
	for (let d = 0; d < duals.length; d += 2) {
		const cube = duals[d];
		const weight = (k: number) => (featureRows[cube] === absent ? 0 : features[featureRows[cube] * columns + weightColumn + k]);
		const aroundOne = (raw: number) => 1 + 0.99 * Math.tanh(raw);
		const sum = new Array<number>(channels).fill(0);
		let betas = 0;
		edges.forEach((ends, edge) => {
			if (((duals[d + 1] >> edge) & 1) === 0) return;
			const [a, b] = ends.map((corner) => corners[cube * 8 + corner] * channels);
			const sa = points[a + 3] * aroundOne(weight(12 + ends[0]));
			const sb = points[b + 3] * aroundOne(weight(12 + ends[1]));
			betas += aroundOne(weight(edge));
			for (let k = 0; k < channels; k++) sum[k] += (aroundOne(weight(edge)) * (sb * points[a + k] - sa * points[b + k])) / (sb - sa);
		});
		positions.push(...sum.slice(0, 3).map((value) => value / betas));
		colors.push(...sum.slice(4).map((value) => value / betas));
		gammas.push(0.99 / (1 + Math.exp(-weight(20))) + 0.005);
	}
	return [...positions, ...colors, ...gammas];
}

/** Cubes with random corners whose signs make every listed edge a crossing. */
function made(rows: number, cubes: number, columns: number, weightColumn: number, channels: number): Case {
	const points = randomValues(cubes * 8 * channels, 4);
	const corners = Uint32Array.from({ length: cubes * 8 }, (_, i) => i);
	const duals: number[] = [];
	for (let cube = 0; cube < cubes; cube++) {
		let mask = 0;
		for (let corner = 0; corner < 8; corner++) {
			const at = (cube * 8 + corner) * channels + 3;
			points[at] = (0.1 + Math.abs(points[at])) * ((cube * 37 + 1) & (1 << corner) ? -1 : 1);
		}
		edges.forEach(([a, b], edge) => {
			if (points[(cube * 8 + a) * channels + 3] < 0 !== points[(cube * 8 + b) * channels + 3] < 0) mask |= 1 << edge;
		});
		if (mask !== 0) duals.push(cube, mask, cube, mask & -mask);
	}
	const featureRows = Uint32Array.from({ length: cubes }, (_, cube) => (cube % 5 === 2 ? absent : (cube * 11) % rows));
	return {
		features: randomValues(rows * columns, 3, 4),
		columns,
		weightColumn,
		featureRows,
		corners,
		points,
		channels,
		duals: Uint32Array.from(duals),
	};
}

describe("dualVertices", () => {
	for (const [rows, cubes, columns, weightColumn, channels] of [
		[1, 1, 21, 0, 4],
		[50, 33, 53, 32, 4],
		[400, 129, 101, 32, 10],
	] as const) {
		for (const windows of [false, true]) {
			it(`weights the crossings of ${cubes} cubes with ${rows} x ${columns} features${windows ? ", in windows" : ""}`, async () => {
				const own = windows ? await testDevice({ maxBindingBytes: 64 * 1024 }) : device;
				const one = made(rows, cubes, columns, weightColumn, channels);
				const [result] = await runGraph(own, (graph) => {
					const recorded = dualVertices(graph, {
						features: residentTensor(own, "features", "f32", [rows, columns], one.features),
						weightColumn,
						featureRows: residentTensor(own, "rows", "u32", [cubes], one.featureRows),
						corners: residentTensor(own, "corners", "u32", [cubes, 8], one.corners),
						points: residentTensor(own, "points", "f32", [cubes * 8, channels], one.points),
						duals: residentTensor(own, "duals", "u32", [one.duals.length / 2, 2], one.duals),
					});
					if (windows && rows === 400) expect(graph.dispatches.length).toBeGreaterThan(1);
					return recorded;
				});
				expect(nmse(result, reference(one))).toBeLessThan(1e-11);
			});
		}
	}

	it("refuses features without 21 weights", async () => {
		const u32 = (shape: readonly number[]) => residentTensor(device, "x", "u32", shape);
		const request = {
			features: residentTensor(device, "features", "f32", [2, 50]),
			weightColumn: 32,
			featureRows: u32([1]),
			corners: u32([1, 8]),
			points: residentTensor(device, "points", "f32", [8, 4]),
			duals: u32([1, 2]),
		};
		await expect(runGraph(device, (graph) => dualVertices(graph, request))).rejects.toThrow("must have 53 columns");
	});
});

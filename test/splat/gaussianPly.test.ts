import { expect, it } from "vitest";
import { readPly } from "../../engine/mesh/readPly.ts";
import type { GaussianCloud } from "../../engine/splat/gaussianCloud.ts";
import { gaussiansOfPly, writeGaussianPly } from "../../engine/splat/gaussianPly.ts";
import { adapters } from "../../runners/parity/adapters/splat.ts";
import { randomValues } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";
import { randomCloud } from "../support/randomCloud.ts";

const columns = 17;

/** Rows of the file, and its header. */
function readBack(file: Uint8Array): { header: string; rows: Float32Array[] } {
	const text = new TextDecoder("latin1").decode(file);
	const start = text.indexOf("end_header\n") + "end_header\n".length;
	const values = new Float32Array(file.slice(start).buffer);
	const rows = Array.from({ length: values.length / columns }, (_, i) => values.subarray(i * columns, (i + 1) * columns));
	return { header: text.slice(0, start), rows };
}

/** Column vectors of a unit quaternion's rotation, times `v`. */
function rotate([w, x, y, z]: ArrayLike<number> & Iterable<number>, [a, b, c]: readonly number[]): number[] {
	return [
		(1 - 2 * (y * y + z * z)) * a + 2 * (x * y - w * z) * b + 2 * (x * z + w * y) * c,
		2 * (x * y + w * z) * a + (1 - 2 * (x * x + z * z)) * b + 2 * (y * z - w * x) * c,
		2 * (x * z - w * y) * a + 2 * (y * z + w * x) * b + (1 - 2 * (x * x + y * y)) * c,
	];
}

it("agrees with the official file's values", async () => {
	expect(failures(await runParityFixture("gaussian_ply", adapters.gaussian_ply, "f32"))).toEqual([]);
});

it("turns positions and rotations alike, and stores logits and logarithms", () => {
	const cloud = randomCloud(20, 5);
	const { header, rows } = readBack(writeGaussianPly(cloud));
	expect(header.split("\n").slice(0, 4)).toEqual(["ply", "format binary_little_endian 1.0", "element vertex 20", "property float x"]);
	expect(header.split("\n").filter((line) => line.startsWith("property float"))).toHaveLength(columns);
	expect(rows).toHaveLength(20);
	rows.forEach((row, i) => {
		const [x, y, z] = cloud.positions.subarray(i * 3, i * 3 + 3);
		expect([...row.subarray(0, 3)]).toEqual([x, -z, y]);
		expect([...row.subarray(3, 6)]).toEqual([0, 0, 0]);
		expect(row.subarray(6, 9)).toEqual(cloud.featuresDc.subarray(i * 3, i * 3 + 3));
		expect(1 / (1 + Math.exp(-row[9]))).toBeCloseTo(cloud.opacities[i], 6);
		for (let axis = 0; axis < 3; axis++) expect(Math.exp(row[10 + axis])).toBeCloseTo(cloud.scales[i * 3 + axis], 6);
		const rotation = row.subarray(13, 17);
		expect(Math.hypot(...rotation)).toBeCloseTo(1, 6);
		const [a, b, c] = rotate(cloud.rotations.subarray(i * 4, i * 4 + 4), [1, 2, 3]);
		const turned = rotate(rotation, [1, 2, 3]);
		[a, -c, b].forEach((value, axis) => {
			expect(turned[axis]).toBeCloseTo(value, 5);
		});
		expect(Math.max(...rotation)).toBeGreaterThanOrEqual(-Math.min(...rotation));
	});
});

it("stays finite at the ends of opacities and scales", () => {
	const cloud: GaussianCloud = {
		count: 2,
		positions: randomValues(6, 1),
		featuresDc: randomValues(6, 2),
		scales: Float32Array.of(0, 1, 1, 1, 1, 1),
		rotations: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0),
		opacities: Float32Array.of(0, 1),
	};
	const { rows } = readBack(writeGaussianPly(cloud));
	expect(rows.every((row) => row.every(Number.isFinite))).toBe(true);
	expect([rows[0][9], rows[1][9]]).toEqual([expect.closeTo(-16.64, 1), expect.closeTo(16.64, 1)]);
});

it("reads its own files back", () => {
	const cloud = randomCloud(20, 4);
	const content = readPly(writeGaussianPly(cloud), "g.ply");
	const read = gaussiansOfPly(content.columns, content.count, "g.ply") as GaussianCloud;
	expect(read.count).toBe(20);
	for (const name of ["positions", "featuresDc", "scales", "opacities"] as const) {
		read[name].forEach((value, i) => {
			expect(value).toBeCloseTo(cloud[name][i], 5);
		});
	}
	for (let i = 0; i < 80; i += 4) {
		const product = [0, 1, 2, 3].reduce((sum, k) => sum + read.rotations[i + k] * cloud.rotations[i + k], 0);
		expect(Math.abs(product)).toBeCloseTo(1, 5); // q and -q are one rotation
	}
	expect(gaussiansOfPly(new Map([["x", new Float32Array(1)]]), 1, "g.ply")).toBeUndefined();
	const partial = new Map([...content.columns].filter(([name]) => name !== "rot_2"));
	expect(() => gaussiansOfPly(partial, 20, "g.ply")).toThrow('g.ply: its Gaussians have no "rot_2"');
});

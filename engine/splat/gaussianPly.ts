import { SyncHumanError } from "../error.ts";
import { type GaussianCloud, gaussianRows } from "./gaussianCloud.ts";

/** Columns of the file, all float32. */
const attributes = [
	...["x", "y", "z", "nx", "ny", "nz"],
	...["f_dc_0", "f_dc_1", "f_dc_2", "opacity"],
	...["scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"],
];

/** The largest float32 below 1; opacities beyond it, and as near to 0, are stored as if they stood there: their logits are finite. */
const largestOpacity = 1 - 2 ** -24;
/** Scales below it are stored as if they were as large: their logarithms are finite. */
const smallestScale = 2 ** -126;

/**
 * A binary `.ply` of Gaussians in the layout of the 3D Gaussian Splatting paper's code, which splat viewers read: position, normal (0),
 * f_dc (the constant harmonic's coefficients), opacity as a logit, scales as logarithms, rotation w, x, y, z. Turned as upstream does
 * (Gaussian.save_ply: [[1, 0, 0], [0, 0, -1], [0, 1, 0]]): our y comes out as z, our z as -y. Of the two quaternions of a rotation the
 * one whose largest component is positive. Throws code "input" as `gaussianRows` does.
 */
export function writeGaussianPly(cloud: GaussianCloud): Uint8Array {
	const rows = gaussianRows(cloud);
	const header = [
		"ply",
		"format binary_little_endian 1.0",
		`element vertex ${cloud.count}`,
		...attributes.map((name) => `property float ${name}`),
		"end_header\n",
	].join("\n");
	const headerBytes = new TextEncoder().encode(header);
	const file = new Uint8Array(headerBytes.length + cloud.count * attributes.length * 4);
	file.set(headerBytes);
	const body = new DataView(file.buffer, headerBytes.length);
	const values = new Float64Array(attributes.length);
	for (let gaussian = 0; gaussian < cloud.count; gaussian++) {
		const from = gaussian * 14;
		values[0] = rows[from];
		values[1] = -rows[from + 2];
		values[2] = rows[from + 1];
		for (let channel = 0; channel < 3; channel++) values[6 + channel] = rows[from + 3 + channel];
		const opacity = Math.min(Math.max(rows[from + 13], 1 - largestOpacity), largestOpacity);
		values[9] = Math.log(opacity / (1 - opacity));
		for (let axis = 0; axis < 3; axis++) values[10 + axis] = Math.log(Math.max(rows[from + 6 + axis], smallestScale));
		turn(rows, from + 9, values, 13);
		for (let column = 0; column < values.length; column++) {
			body.setFloat32((gaussian * attributes.length + column) * 4, values[column], true);
		}
	}
	return file;
}

/** The quaternion (w, x, y, z) at `at` followed by a quarter turn about x, which takes y to z; of unit length. Writes it to `result` at `to`. */
function turn(rows: Float32Array, at: number, result: Float64Array, to: number): void {
	result[to] = rows[at] - rows[at + 1];
	result[to + 1] = rows[at + 1] + rows[at];
	result[to + 2] = rows[at + 2] - rows[at + 3];
	result[to + 3] = rows[at + 3] + rows[at + 2];
	let largest = result[to];
	for (let k = 1; k < 4; k++) if (Math.abs(result[to + k]) > Math.abs(largest)) largest = result[to + k];
	const length = Math.hypot(result[to], result[to + 1], result[to + 2], result[to + 3]) * (largest < 0 ? -1 : 1);
	if (length === 0) result.fill(0, to, to + 4).fill(1, to, to + 1);
	else for (let k = 0; k < 4; k++) result[to + k] /= length;
}

/**
 * The Gaussians of such a file's columns, turned back into our world; undefined where they are none. Scales and opacities come out of their
 * logarithms and logits, rotations of unit length. Throws code "input", beginning with `name`, where a column is missing.
 */
export function gaussiansOfPly(columns: ReadonlyMap<string, Float32Array>, count: number, name: string): GaussianCloud | undefined {
	if (!columns.has("f_dc_0") || !columns.has("opacity")) return undefined;
	const column = (wanted: string): Float32Array => {
		const found = columns.get(wanted);
		if (found === undefined) throw new SyncHumanError("input", `${name}: its Gaussians have no "${wanted}".`);
		return found;
	};
	const rows = (names: readonly string[], change: (value: number) => number = (value) => value) => {
		const found = names.map(column);
		return Float32Array.from({ length: count * found.length }, (_, i) => change(found[i % found.length][Math.floor(i / found.length)]));
	};
	const positions = rows(["x", "y", "z"]);
	for (let i = 0; i < positions.length; i += 3) positions.set([positions[i], positions[i + 2], 0 - positions[i + 1]], i);
	const rotations = rows(["rot_0", "rot_1", "rot_2", "rot_3"]);
	for (let i = 0; i < rotations.length; i += 4) {
		const [w, x, y, z] = rotations.subarray(i, i + 4);
		const back = [w + x, x - w, y + z, z - y]; // a quarter turn about x, which takes z to y, comes after it
		const length = Math.hypot(...back);
		rotations.set(length > 0 ? back.map((part) => part / length) : [1, 0, 0, 0], i);
	}
	return {
		count,
		positions,
		featuresDc: rows(["f_dc_0", "f_dc_1", "f_dc_2"]),
		scales: rows(["scale_0", "scale_1", "scale_2"], Math.exp),
		rotations,
		opacities: rows(["opacity"], (logit) => 1 / (1 + Math.exp(-logit))),
	};
}

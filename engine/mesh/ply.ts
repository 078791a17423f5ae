import { SyncHumanError } from "../error.ts";

/** The sides of a cube by its corners (x & 1, y & 2, z & 4), in the official order and winding. */
const sides: readonly (readonly [number, number, number, number])[] = [
	[2, 3, 1, 0],
	[4, 5, 7, 6],
	[3, 2, 6, 7],
	[0, 1, 5, 4],
	[2, 0, 4, 6],
	[1, 3, 7, 5],
];

/**
 * voxel.ply as the official stage 1 writes it (upstream utils/voxel_utils.py through plyfile, text format): the n voxel centres, then
 * 8 corners of each voxel at +-0.5, then 6 quads of each, all in voxel units (no scaling; z up). `coords` [n, 3] x, y, z.
 * Departs from upstream: no voxels give a file without elements, not no file.
 */
export function writeVoxelPly(coords: Int32Array): Uint8Array {
	if (coords.length % 3 !== 0) throw new SyncHumanError("input", `writeVoxelPly: coords must be [n, 3], got ${coords.length} values`);
	const count = coords.length / 3;
	const lines = [
		"ply",
		"format ascii 1.0",
		`element vertex ${count * 9}`,
		"comment vertices",
		"property float x",
		"property float y",
		"property float z",
		`element face ${count * 6}`,
		"property list uchar int vertex_indices",
		"end_header",
	];
	for (let i = 0; i < count; i++) lines.push(`${coords[i * 3]} ${coords[i * 3 + 1]} ${coords[i * 3 + 2]}`);
	for (let i = 0; i < count; i++) {
		for (let corner = 0; corner < 8; corner++) {
			const x = coords[i * 3] - 0.5 + (corner & 1);
			const y = coords[i * 3 + 1] - 0.5 + ((corner >> 1) & 1);
			const z = coords[i * 3 + 2] - 0.5 + (corner >> 2);
			lines.push(`${x} ${y} ${z}`);
		}
	}
	for (let i = 0; i < count; i++) {
		const base = count + i * 8;
		for (const [a, b, c, d] of sides) lines.push(`4 ${base + a} ${base + b} ${base + c} ${base + d}`);
	}
	lines.push("");
	return new TextEncoder().encode(lines.join("\n"));
}

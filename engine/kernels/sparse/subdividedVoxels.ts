/** Children of a subdivided voxel. */
export const childrenPerVoxel = 8;

/**
 * Coordinates after every voxel was split into eight: [8 n, 4], child dx * 4 + dy * 2 + dz of voxel i in row 8 i + child. Upstream:
 * SparseSubdivide.
 */
export function subdividedCoordinates(coords: Int32Array): Int32Array<ArrayBuffer> {
	const fine = new Int32Array(coords.length * childrenPerVoxel);
	let write = 0;
	for (let at = 0; at < coords.length; at += 4) {
		for (let child = 0; child < childrenPerVoxel; child++) {
			fine[write++] = coords[at];
			fine[write++] = coords[at + 1] * 2 + (child >> 2);
			fine[write++] = coords[at + 2] * 2 + ((child >> 1) & 1);
			fine[write++] = coords[at + 3] * 2 + (child & 1);
		}
	}
	return fine;
}

import { SyncHumanError } from "../error.ts";
import { emptyBits, isMarked, mark } from "./bitRank.ts";

/** Largest resolution whose vertex ids fit in 31 bits. */
const maxResolution = 1289;

/** Throws code "input" for a resolution whose cubes and vertices cannot be numbered. */
export function checkResolution(resolution: number): void {
	if (!Number.isInteger(resolution) || resolution < 1 || resolution > maxResolution) {
		throw new SyncHumanError("input", `cubes: resolution must be 1..${maxResolution}, got ${resolution}`);
	}
}

/** Throws code "input" for coordinates [n, 3] = (x, y, z) outside a grid of resolution^3 cubes or given twice, naming the first row. */
export function checkGrid(coords: Int32Array, resolution: number): void {
	const seen = emptyBits(resolution ** 3);
	for (let row = 0; row < coords.length / 3; row++) {
		const [x, y, z] = coords.subarray(row * 3, row * 3 + 3);
		if (!(x >= 0 && y >= 0 && z >= 0 && x < resolution && y < resolution && z < resolution)) {
			throw new SyncHumanError("input", `cubes: coords[${row}] = (${x}, ${y}, ${z}) is outside the ${resolution}^3 grid`);
		}
		const cube = (x * resolution + y) * resolution + z;
		if (isMarked(seen, cube))
			throw new SyncHumanError("input", `cubes: cube (${x}, ${y}, ${z}) is given twice, the second time in row ${row}`);
		mark(seen, cube);
	}
}

/** (x, y, z) of a linear id in a grid of side^3. */
export function gridCoordinates(id: number, side: number): [number, number, number] {
	const z = id % side;
	const y = ((id - z) / side) % side;
	return [(id - z - y * side) / (side * side), y, z];
}

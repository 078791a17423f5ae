import { SyncHumanError } from "../error.ts";
import { absent, type BitRank, emptyBits, isMarked, mark, rankBits, rankOf } from "./bitRank.ts";

/**
 * The active cubes of a resolution^3 grid and the vertices they touch. Cube (x, y, z) has the linear id (x * r + y) * r + z, vertex
 * (x, y, z) the id (x * (r + 1) + y) * (r + 1) + z.
 */
export interface SparseGrid {
	/** Cubes per axis (r). */
	readonly resolution: number;
	/** Active cubes by linear id. */
	readonly cubes: BitRank;
	/** [cubes.count] row of each active cube in the feature tensor, in ascending order of the cube's id. */
	readonly rowOfCube: Uint32Array;
	/** Vertices of active cubes by linear id. */
	readonly vertices: BitRank;
	/** [vertices.count, 8] active cubes at each vertex as 8 * row + corner, ascending; `absent` after the last. */
	readonly cubesOfVertex: Uint32Array;
}

/** Largest resolution whose vertex ids fit in 31 bits. */
const maxResolution = 1289;

/**
 * Indexes active cubes. `coords` [n, 3] = (x, y, z) in any order; row i belongs to feature row i. 0.2 s for the 553,280 cubes of a body
 * at 256^3. Throws code "input" for coordinates outside the grid or given twice.
 */
export function sparseGrid(coords: Int32Array, resolution: number): SparseGrid {
	if (!Number.isInteger(resolution) || resolution < 1 || resolution > maxResolution) {
		throw new SyncHumanError("input", `sparseGrid: resolution must be 1..${maxResolution}, got ${resolution}`);
	}
	if (coords.length % 3 !== 0) throw new SyncHumanError("input", `sparseGrid: coords must be [n, 3], got ${coords.length} values`);
	const rows = coords.length / 3;
	const side = resolution + 1;
	const cubeBits = emptyBits(resolution ** 3);
	const vertexBits = emptyBits(side ** 3);
	for (let row = 0; row < rows; row++) {
		const x = coords[row * 3];
		const y = coords[row * 3 + 1];
		const z = coords[row * 3 + 2];
		if (!(x >= 0 && y >= 0 && z >= 0 && x < resolution && y < resolution && z < resolution)) {
			throw new SyncHumanError("input", `sparseGrid: coords[${row}] = (${x}, ${y}, ${z}) is outside the ${resolution}^3 grid`);
		}
		const cube = (x * resolution + y) * resolution + z;
		if (isMarked(cubeBits, cube))
			throw new SyncHumanError("input", `sparseGrid: cube (${x}, ${y}, ${z}) is given twice, the second time in row ${row}`);
		mark(cubeBits, cube);
		for (let corner = 0; corner < 8; corner++) mark(vertexBits, cornerVertex(x, y, z, corner, side));
	}
	const cubes = rankBits(resolution ** 3, cubeBits);
	const vertices = rankBits(side ** 3, vertexBits);
	const rowOfCube = new Uint32Array(rows);
	const cubesOfVertex = new Uint32Array(vertices.count * 8).fill(absent);
	const found = new Uint8Array(vertices.count);
	for (let row = 0; row < rows; row++) {
		const x = coords[row * 3];
		const y = coords[row * 3 + 1];
		const z = coords[row * 3 + 2];
		rowOfCube[rankOf(cubes, (x * resolution + y) * resolution + z)] = row;
		for (let corner = 0; corner < 8; corner++) {
			const vertex = rankOf(vertices, cornerVertex(x, y, z, corner, side));
			cubesOfVertex[vertex * 8 + found[vertex]++] = row * 8 + corner;
		}
	}
	return { resolution, cubes, rowOfCube, vertices, cubesOfVertex };
}

/** Linear id of corner i of cube (x, y, z) in a grid with `side` = resolution + 1 vertices per axis. */
export function cornerVertex(x: number, y: number, z: number, corner: number, side: number): number {
	return ((x + (corner & 1)) * side + y + ((corner >> 1) & 1)) * side + z + (corner >> 2);
}

/** (x, y, z) of a linear id in a grid of side^3. */
export function gridCoordinates(id: number, side: number): [number, number, number] {
	const z = id % side;
	const y = ((id - z) / side) % side;
	return [(id - z - y * side) / (side * side), y, z];
}

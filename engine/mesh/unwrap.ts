import { type ChartedPart, type ChartJob, chartPart } from "./chartPart.ts";
import { checkMesh } from "./checkMesh.ts";
import type { Mesh } from "./mesh.ts";
import { type PackedCharts, type PackJob, packCharts } from "./packCharts.ts";
import { splitFaces } from "./splitFaces.ts";

/** A ball of the world whose surface gets more texels. */
export interface UnwrapFocus {
	/** x, y, z of its centre. */
	readonly centre: readonly [number, number, number];
	readonly radius: number;
	/** Texels per area inside, as a multiple of those outside; above 0. */
	readonly share: number;
}

/** How a mesh is unwrapped. */
export interface UnwrapOptions {
	/** Side of the texture in pixels; charts are packed for about this size. */
	readonly textureSize: number;
	/** Free pixels around every chart. */
	readonly padding: number;
	readonly focus?: UnwrapFocus | undefined;
	/** Called after every step, parts of the mesh and the packing. */
	readonly onProgress?: ((done: number, total: number) => void) | undefined;
	/** `chartPart` and `packCharts` in other threads; in this one where they are not given. */
	readonly workers?: UnwrapWorkers | undefined;
}

/** Where the work is done. */
export interface UnwrapWorkers {
	readonly chartPart: (job: ChartJob) => Promise<ChartedPart>;
	readonly packCharts: (job: PackJob) => Promise<PackedCharts>;
}

/** A mesh whose vertices are doubled along the seams of its charts. */
export interface UnwrappedMesh extends Mesh {
	/** [v, 2] u, v in 0..1 of the atlas. Whether v points up or down is the reader's choice. */
	readonly uvs: Float32Array;
	/** [v] the vertex of the source that each vertex is a copy of. */
	readonly sourceVertices: Uint32Array;
	/** Number of charts. */
	readonly charts: number;
}

/** Free pixels around a chart where nothing else is asked for: trilinear reads stay inside down to the second level. */
export const defaultPadding = 2;

const facesOfPart = 4096;
const facesOfChart = 600; // at most, where faces are of one size
const stepsAcross = 512; // to which extents of charts are rounded before packing, per root of the area
const expectedUtilization = 0.62;

/**
 * Cuts a mesh into charts and packs them into one atlas (xatlas as WebAssembly). Faces stay in their order with their corners in theirs, positions
 * stay as they are. Takes seconds, in other threads where `workers` are given. The same result every time, whoever does it.
 * Throws code "input" for a mesh that `checkMesh` refuses. Upstream: xatlas.parametrize with its defaults.
 *
 * Departs from upstream: charts hold at most the area of 600 mean faces and end at the borders of parts, for time (60,000 faces: 3.4 s for
 * 12 s, and parts can be made side by side); they have gaps. A focus is made by unwrapping a copy of the mesh whose ball is swollen and whose
 * rest is moved away.
 */
export async function unwrapMesh(mesh: Mesh, options: UnwrapOptions): Promise<UnwrappedMesh> {
	checkMesh("unwrap", mesh);
	const { workers = { chartPart, packCharts }, onProgress } = options;
	const positions = options.focus === undefined ? mesh.positions : swollen(mesh.positions, options.focus);
	const shaped: Mesh = { positions, faces: mesh.faces };
	const area = surfaceArea(shaped);
	const parts = splitFaces(shaped, facesOfPart).map((faces) => partOf(shaped, faces));
	let done = 0;
	const step = <T>(result: T): T => {
		onProgress?.(++done, parts.length + 1);
		return result;
	};
	const limits = { maximumArea: Math.min(1, (facesOfChart * 3) / mesh.faces.length) * area, texelsPerUnit: stepsAcross / Math.sqrt(area) };
	const charted = await Promise.all(parts.map(async ({ job }) => step(await workers.chartPart({ ...job, ...limits }))));
	const texelsPerUnit = options.textureSize * Math.sqrt(expectedUtilization / area);
	const packed = step(await workers.packCharts({ parts: charted, texelsPerUnit, padding: options.padding }));
	return { ...joined(mesh, parts, charted, packed.parts), charts: packed.charts };
}

interface Part {
	/** Faces of the mesh, ascending. */
	readonly faces: Uint32Array;
	/** The mesh' vertex of each vertex of the part. */
	readonly vertices: Uint32Array;
	readonly job: Pick<ChartJob, "positions" | "faces">;
}

function partOf({ positions, faces }: Mesh, members: Uint32Array): Part {
	const indexOf = new Map<number, number>();
	const own = new Uint32Array(members.length * 3);
	for (let i = 0; i < own.length; i++) {
		const vertex = faces[members[(i - (i % 3)) / 3] * 3 + (i % 3)];
		const index = indexOf.get(vertex) ?? indexOf.size;
		indexOf.set(vertex, index);
		own[i] = index;
	}
	const vertices = Uint32Array.from(indexOf.keys());
	return { faces: members, vertices, job: { positions: rowsOf(positions, vertices), faces: own } };
}

function joined(mesh: Mesh, parts: readonly Part[], charted: readonly ChartedPart[], packed: readonly ChartedPart[]) {
	const count = packed.reduce((sum, { sourceVertices }) => sum + sourceVertices.length, 0);
	const uvs = new Float32Array(count * 2);
	const sourceVertices = new Uint32Array(count);
	const faces = new Uint32Array(mesh.faces.length);
	let first = 0;
	packed.forEach((part, p) => {
		uvs.set(part.uvs, first * 2);
		sourceVertices.set(
			part.sourceVertices.map((vertex) => parts[p].vertices[charted[p].sourceVertices[vertex]]),
			first,
		);
		part.faces.forEach((vertex, i) => {
			faces[parts[p].faces[(i - (i % 3)) / 3] * 3 + (i % 3)] = first + vertex;
		});
		first += part.sourceVertices.length;
	});
	const { positions, colors } = mesh;
	return { positions: rowsOf(positions, sourceVertices), faces, colors: colors && rowsOf(colors, sourceVertices), uvs, sourceVertices };
}

/** Rows of three. */
function rowsOf(values: Float32Array, rows: Uint32Array): Float32Array {
	return Float32Array.from({ length: rows.length * 3 }, (_, i) => values[rows[(i - (i % 3)) / 3] * 3 + (i % 3)]);
}

function surfaceArea({ positions: p, faces }: Mesh): number {
	let area = 0;
	for (let i = 0; i < faces.length; i += 3) {
		const [a, b, c] = [faces[i] * 3, faces[i + 1] * 3, faces[i + 2] * 3];
		const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
		const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
		area += Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
	}
	return area;
}

/** Distances r from the centre become k r up to the radius and r + (k - 1) radius beyond it, k the root of the share. */
function swollen(positions: Float32Array, { centre, radius, share }: UnwrapFocus): Float32Array {
	const factor = Math.sqrt(share);
	const moved = new Float32Array(positions.length);
	for (let i = 0; i < positions.length; i += 3) {
		const away = [0, 1, 2].map((axis) => positions[i + axis] - centre[axis]);
		const distance = Math.hypot(...away);
		const scale = distance <= radius ? factor : 1 + ((factor - 1) * radius) / distance;
		for (let axis = 0; axis < 3; axis++) moved[i + axis] = centre[axis] + away[axis] * scale;
	}
	return moved;
}

import { Atlas, Initialize } from "watlas";
import { checkMesh } from "./checkMesh.ts";
import type { Mesh } from "./mesh.ts";

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
	/** Side of the texture in pixels, for which charts are packed with gaps. */
	readonly textureSize: number;
	/** Free pixels around every chart. */
	readonly padding: number;
	readonly focus?: UnwrapFocus | undefined;
	/** Called before each part. */
	readonly onProgress?: ((part: UnwrapPart) => void) | undefined;
}

/** The parts of unwrapping, in their order. */
export type UnwrapPart = "charts" | "packing" | "reading";

/** A mesh whose vertices are doubled along the seams of its charts. */
export interface UnwrappedMesh extends Mesh {
	/** [v, 2] u, v in 0..1 of the atlas; v up or down is the reader's choice. */
	readonly uvs: Float32Array;
	/** [v] the vertex of the source that each vertex is a copy of. */
	readonly sourceVertices: Uint32Array;
	/** Number of charts. */
	readonly charts: number;
}

let initialized: Promise<void> | undefined;

/**
 * Cuts a mesh into charts and packs them into one square (xatlas, as WebAssembly; with its own chart options, as upstream). Faces stay in
 * their order with their corners in theirs; positions stay as they are. Blocks its thread for seconds: run it in a worker. The same
 * result every time. Throws code "input" for a mesh that `checkMesh` refuses. Upstream: xatlas.parametrize.
 *
 * A focus is made by unwrapping a copy of the mesh whose ball is swollen and whose rest is pushed away without being stretched across.
 */
export async function unwrapMesh(mesh: Mesh, options: UnwrapOptions): Promise<UnwrappedMesh> {
	checkMesh("unwrap", mesh);
	initialized ??= Initialize();
	await initialized;
	const { positions, faces, colors } = mesh;
	const atlas = new Atlas();
	try {
		options.onProgress?.("charts");
		atlas.addMesh({
			vertexPositionData: options.focus === undefined ? positions : swollen(positions, options.focus),
			vertexCount: positions.length / 3,
			vertexPositionStride: 12,
			indexData: faces,
			indexCount: faces.length,
		});
		atlas.computeCharts({});
		options.onProgress?.("packing");
		atlas.packCharts({ resolution: options.textureSize, padding: options.padding });
		options.onProgress?.("reading");
		const unwrapped = atlas.getMesh(0);
		const count = unwrapped.vertexCount;
		const uvs = new Float32Array(count * 2);
		const sourceVertices = new Uint32Array(count);
		for (let i = 0; i < count; i++) {
			const { uv, xref } = unwrapped.getVertex(i);
			uvs[i * 2] = uv[0] / atlas.width;
			uvs[i * 2 + 1] = uv[1] / atlas.height;
			sourceVertices[i] = xref;
		}
		const indices = new Uint32Array(unwrapped.indexCount);
		unwrapped.getIndexArray(indices);
		const copied = (rows: Float32Array) =>
			Float32Array.from({ length: count * 3 }, (_, i) => rows[sourceVertices[(i - (i % 3)) / 3] * 3 + (i % 3)]);
		return {
			positions: copied(positions),
			faces: indices,
			colors: colors && copied(colors),
			uvs,
			sourceVertices,
			charts: atlas.chartCount,
		};
	} finally {
		atlas.delete();
	}
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

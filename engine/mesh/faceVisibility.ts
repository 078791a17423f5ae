import type { Device } from "../gpu/device.ts";
import { compileGraph } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { planGraph } from "../graph/plan.ts";
import { countSeenFaces } from "../kernels/mesh/countSeenFaces.ts";
import { coverFaces } from "../kernels/mesh/coverFaces.ts";
import { projectVertices } from "../kernels/mesh/projectVertices.ts";
import type { Mesh } from "./mesh.ts";

/** A perspective or orthographic camera in the OpenGL convention; matrices are row-major 4 x 4 and multiply column vectors. */
export interface VisibilityCamera {
	/** World to camera: x right, y up, z backward. */
	readonly view: readonly number[];
	/** Camera to clip space; z / w is -1 at the near plane and 1 at the far one. */
	readonly projection: readonly number[];
}

/** How faces are looked at. */
export interface VisibilityOptions {
	readonly cameras: readonly VisibilityCamera[];
	/** Pixels per side of a picture. Upstream: 1,024. */
	readonly size: number;
	/** Called after every batch of views with how many are done. */
	readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const planeBytesAtOnce = 64 << 20;

/**
 * [f] in how many of the cameras' pictures each face is the nearest one at some pixel's centre; both sides of a face count. Upstream:
 * the rasterisation of postprocessing_utils._fill_holes. About 64 MiB on the GPU, or one picture where that is more.
 */
export async function faceVisibility(device: Device, { positions, faces }: Mesh, options: VisibilityOptions): Promise<Uint32Array> {
	const { cameras, onProgress } = options;
	const recorded = recordVisibility(device, positions.length / 3, faces.length / 3, options);
	const { graph, capacity, positionsInput, facesInput, clipRows, counts } = recorded;
	const executable = await compileGraph(graph);
	try {
		executable.write(positionsInput, positions);
		executable.write(facesInput, faces);
		for (let first = 0; first < cameras.length; first += capacity) {
			const batch = cameras.slice(first, first + capacity);
			const rows = new Float32Array(capacity * 16);
			batch.forEach((camera, i) => {
				rows.set(clipRowsOf(camera), i * 16);
			});
			executable.write(clipRows, rows);
			await executable.run({ views: batch.length });
			await device.idle();
			onProgress?.(first + batch.length, cameras.length);
		}
		return await executable.readIntegers(counts);
	} finally {
		executable.destroy();
	}
}

/** GPU bytes that `faceVisibility` holds at most. */
export function visibilityBytes(device: Device, { positions, faces }: Mesh, options: VisibilityOptions): number {
	const { graph, counts } = recordVisibility(device, positions.length / 3, faces.length / 3, options);
	return planGraph(graph).byteLength + counts.storage.byteLength;
}

/** Draws up to `capacity` pictures and counts the faces in them. */
function recordVisibility(device: Device, vertexCount: number, faceCount: number, { cameras, size }: VisibilityOptions) {
	const bindingBytes = device.report.limits.maxStorageBufferBindingSize;
	const perView = Math.max(size * size * 4, vertexCount * 16);
	const fitting = Math.floor(Math.min(bindingBytes / perView, planeBytesAtOnce / (size * size * 4)));
	const capacity = Math.max(1, Math.min(32, cameras.length, fitting));
	const graph = new Graph(device, "visibility");
	const views = graph.scalar("views", capacity);
	const positionsInput = graph.input("positions", "f32", [vertexCount, 3]);
	const facesInput = graph.input("faces", "u32", [faceCount, 3]);
	const clipRows = graph.input("clipRows", "f32", [capacity, 4, 4]);
	const nearest = graph.input("nearest", "u32", [capacity, size, size]);
	const seen = graph.input("seen", "u32", [faceCount]);
	const counts = graph.output(graph.input("counts", "u32", [faceCount]));
	const screen = projectVertices(graph, { positions: positionsInput, clipRows, views, size });
	coverFaces(graph, { screen, faces: facesInput, nearest, seen, views });
	countSeenFaces(graph, { seen, nearest, counts });
	return { graph, capacity, positionsInput, facesInput, clipRows, counts };
}

/** [4, 4] the rows of projection times view that give x, y, w - z and w. */
function clipRowsOf({ view, projection }: VisibilityCamera): number[] {
	const row = (r: number) =>
		[0, 1, 2, 3].map((column) => [0, 1, 2, 3].reduce((sum, k) => sum + projection[r * 4 + k] * view[k * 4 + column], 0));
	const [x, y, z, w] = [0, 1, 2, 3].map(row);
	return [...x, ...y, ...w.map((value, column) => value - z[column]), ...w];
}

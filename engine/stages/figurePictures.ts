import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { type Image, imageOf } from "../image/image.ts";
import { type DrawnMesh, meshRendererBytes, openMeshRenderer, type Shading } from "../mesh/drawMesh.ts";
import { bodyYaws, lookAtOrigin, type Matrix4, viewOfExtrinsics } from "../splat/cameras.ts";
import { mostTilePairs } from "../splat/gaussianBounds.ts";
import type { GaussianCloud } from "../splat/gaussianCloud.ts";
import { gaussianRendererBytes, openGaussianRenderer } from "../splat/renderGaussians.ts";
import type { MeshTexture } from "./results.ts";

// Pictures of a finished figure, as the body views show it: orthographic, level, z up. World and sides: engine/mesh/bodyViews.ts.

/** Something to look at: meshes or Gaussians, z up, facing -y. */
export type Figure = { readonly meshes: readonly DrawnMesh[] } | { readonly gaussians: GaussianCloud };

/** One side of a figure. */
export interface FigureView {
	/** Radians as in engine/splat/cameras.ts: the front is -pi, the figure's left (+x, "right" of the picture) -3 pi / 2. */
	readonly yaw: number;
	/** Left and right turned over. */
	readonly mirrored: boolean;
}

/** Sides by name: those of the body views. */
export const sideNames = ["front", "right", "back", "left"] as const;

/** A named side. */
export type SideName = (typeof sideNames)[number];

/**
 * A side as a camera there sees it. `asStored`: back and left turned over, as stage 1 stores its views (columns of back and left run
 * with x and y like those of front and right).
 */
export function sideView(name: SideName, asStored = false): FigureView {
	const index = sideNames.indexOf(name);
	return { yaw: bodyYaws[index], mirrored: asStored && index >= 2 };
}

/** `frames` sides once around, from the front by way of the right (as the body views are ordered). */
export function turntableViews(frames: number): FigureView[] {
	return Array.from({ length: frames }, (_, i) => ({ yaw: -Math.PI - (2 * Math.PI * i) / frames, mirrored: false }));
}

/** What a square picture shows: [-half, half]^2 around the centre. */
export interface FigureFrame {
	readonly centre: readonly [number, number, number];
	readonly half: number;
	/** Largest distance of a point from the vertical axis through the centre: at most so much to the left and right is not empty. */
	readonly reach: number;
}

/** Share of a fitted frame that stays free on each side. */
const margin = 0.03;

/**
 * Where to look: at the networks' box, as the body views do, where the figure lies in it; else at the figure. Throws code "input" for a figure
 * without points, with a value that is not finite, or whose triangles have no area.
 */
export function figureFrame(figure: Figure): FigureFrame {
	const arrays = "meshes" in figure ? figure.meshes.map(({ positions }) => positions) : [figure.gaussians.positions];
	const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
	const high = low.map((value) => -value);
	for (const positions of arrays) {
		for (let i = 0; i < positions.length; i++) {
			if (!Number.isFinite(positions[i]))
				throw new SyncHumanError("input", `render: vertex ${Math.floor(i / 3)} is not finite.`, "Write the file again.");
			low[i % 3] = Math.min(low[i % 3], positions[i]);
			high[i % 3] = Math.max(high[i % 3], positions[i]);
		}
	}
	if (low[0] > high[0])
		throw new SyncHumanError("input", "render: there is nothing to draw, the figure is empty.", "Give a figure with points.");
	if ("meshes" in figure && !figure.meshes.some(hasArea)) {
		throw new SyncHumanError("input", "render: no face can be seen, none of the mesh's triangles has an area.", "Write the file again.");
	}
	const isInBox = low.every((value) => value >= -0.5) && high.every((value) => value <= 0.5);
	const centre = isInBox ? ([0, 0, 0] as const) : ([0, 1, 2].map((axis) => (low[axis] + high[axis]) / 2) as [number, number, number]);
	let reach = 0;
	for (const positions of arrays)
		for (let i = 0; i < positions.length; i += 3)
			reach = Math.max(reach, Math.hypot(positions[i] - centre[0], positions[i + 1] - centre[1]));
	const half = isInBox ? 0.5 : Math.max((high[2] - low[2]) / 2, reach, 1e-6) * (1 + margin);
	return { centre, half, reach };
}

function hasArea({ positions, faces }: DrawnMesh): boolean {
	for (let i = 0; i < faces.length; i += 3) {
		const [a, b, c] = [faces[i] * 3, faces[i + 1] * 3, faces[i + 2] * 3];
		const [u, v] = [b, c].map((corner) => [0, 1, 2].map((axis) => positions[corner + axis] - positions[a + axis]));
		if (u[1] * v[2] !== u[2] * v[1] || u[2] * v[0] !== u[0] * v[2] || u[0] * v[1] !== u[1] * v[0]) return true;
	}
	return false;
}

/** What `figurePictures` draws. */
export interface FigurePicturesRequest {
	readonly figure: Figure;
	readonly views: readonly FigureView[];
	/** Pixels of a side. */
	readonly size: number;
	/** Of meshes; Gaussians have their colours. */
	readonly shading: Shading;
	/** Bytes that the GPU may hold in all. */
	readonly maxMemory?: number | undefined;
}

/** GPU bytes that `figurePictures` holds at most. */
export function figurePicturesBytes(device: Device, { figure, size }: Pick<FigurePicturesRequest, "figure" | "size">): number {
	if ("meshes" in figure) return meshRendererBytes(figure.meshes, size, size);
	const { gaussians } = figure;
	const { half } = figureFrame(figure);
	const pairs = mostTilePairs(gaussians, size, farAway * half, farAway / 2);
	return gaussianRendererBytes(device, gaussians.count, pairs, { width: size, height: size });
}

/** Distance of the camera of Gaussians in halves of the frame: so far that sizes hardly depend on the depth. */
const farAway = 100;

/**
 * Square RGBA pictures (straight alpha, 0 where nothing is) of a figure, one a view, the same bytes every time. Gaussians are seen from so far
 * away that it makes next to no difference to an orthographic camera.
 */
export async function* figurePictures(device: Device, request: FigurePicturesRequest): AsyncGenerator<Image> {
	const { figure, views, size, shading } = request;
	const { centre, half } = figureFrame(figure);
	if ("meshes" in figure) {
		const renderer = await openMeshRenderer(device, figure.meshes, size, size);
		try {
			for (const { yaw, mirrored } of views) {
				const view = around(viewOfExtrinsics(lookAtOrigin([Math.sin(yaw) * 4 * half, Math.cos(yaw) * 4 * half, 0])), centre);
				const camera = { view, projection: orthographic(half, mirrored) };
				yield imageOf(size, size, 4, straightAlpha(await renderer.draw(camera, shading, mirrored)));
			}
		} finally {
			renderer.destroy();
		}
		return;
	}
	const { maxMemory } = request;
	const options = { width: size, height: size, ...(maxMemory !== undefined && { maxMemory }) };
	const renderer = await openGaussianRenderer(device, figure.gaussians, options);
	try {
		const focal = farAway / 2;
		const distance = farAway * half;
		for (const { yaw, mirrored } of views) {
			const extrinsics = around(lookAtOrigin([Math.sin(yaw) * distance, Math.cos(yaw) * distance, 0]), centre);
			await renderer.render({ extrinsics, intrinsics: { fx: focal, fy: focal, cx: 0.5, cy: 0.5 } });
			const { color, alpha } = await renderer.read();
			const premultiplied = Uint8Array.from({ length: size * size * 4 }, (_, i) => {
				const pixel = i >> 2;
				const from = mirrored ? pixel - (pixel % size) + size - 1 - (pixel % size) : pixel;
				const value = (i & 3) === 3 ? alpha[from] : color[from * 3 + (i & 3)];
				return Math.round(Math.min(Math.max(value, 0), 1) * 255);
			});
			yield imageOf(size, size, 4, straightAlpha(premultiplied));
		}
	} finally {
		renderer.destroy();
	}
}

/** A finished surface as it is drawn. */
export function drawnSurface(surface: { readonly mesh: DrawnMesh; readonly texture?: MeshTexture | undefined }): DrawnMesh {
	const { mesh, texture } = surface;
	if (texture === undefined) return mesh;
	return { positions: mesh.positions, faces: mesh.faces, normals: texture.normals, uvs: texture.uvs, texture: texture.picture };
}

/** The camera moved along with the centre of the world it looks at; row-major. */
function around(worldToCamera: Matrix4, centre: readonly number[]): Matrix4 {
	return worldToCamera.map((value, i) => {
		if (i % 4 !== 3 || i > 11) return value;
		return [0, 1, 2].reduce((sum, k) => sum - worldToCamera[i - 3 + k] * centre[k], value);
	});
}

/** Clip matrix of an orthographic camera at 4 halves from the centre, y up; `mirrored` turns x over. */
function orthographic(half: number, mirrored: boolean): Matrix4 {
	const [near, far] = [half, 7 * half];
	return [(mirrored ? -1 : 1) / half, 0, 0, 0, 0, 1 / half, 0, 0, 0, 0, 2 / (near - far), (near + far) / (near - far), 0, 0, 0, 1];
}

/** Colours divided by their alpha, in place. */
function straightAlpha(picture: Uint8Array): Uint8Array {
	for (let i = 0; i < picture.length; i += 4) {
		const alpha = picture[i + 3];
		if (alpha === 0 || alpha === 255) continue;
		for (let c = 0; c < 3; c++) picture[i + c] = Math.min(255, Math.round((picture[i + c] * 255) / alpha));
	}
	return picture;
}

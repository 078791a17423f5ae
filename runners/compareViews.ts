import type { Device } from "../engine/gpu/device.ts";
import { isBodyPixel } from "../engine/mesh/bodyViews.ts";
import type { DrawnMesh } from "../engine/mesh/drawMesh.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import { connectedFaces, meshEdges } from "../engine/mesh/meshEdges.ts";
import { signedDistance } from "../engine/reconstruct/signedDistance.ts";
import { figurePictures, sideNames, sideView } from "../engine/stages/figurePictures.ts";
import type { StageOneResult } from "../engine/stages/results.ts";

/** How a model's picture agrees with a view. */
export interface ViewAgreement {
	readonly view: string;
	/** Decibels inside the mask less 3 pixels, where the view's colour has a channel below 240. */
	readonly psnr: number;
	/** Intersection over union of the silhouettes. */
	readonly overlap: number;
}

/** Pixels beside the outline that do not count, and the first level that is white. */
const [marginPixels, whiteLevel] = [3, 240];

/** Draws a model from the four sides, unlit, in the views' pixel frames and at their size, and compares. */
export async function compareViews(
	device: Device,
	meshes: readonly DrawnMesh[],
	{ colors, normals }: Pick<StageOneResult, "colors" | "normals">,
): Promise<readonly ViewAgreement[]> {
	const size = colors[0].width;
	const sides = sideNames.map((name) => sideView(name, true));
	const found: ViewAgreement[] = [];
	for await (const drawn of figurePictures(device, { figure: { meshes }, views: sides, size, shading: "color" })) {
		const [color, normal] = [colors[found.length].data, normals[found.length].data];
		const mask = Uint8Array.from({ length: size * size }, (_, pixel) => (isBodyPixel({ normal }, pixel) ? 1 : 0));
		const distance = signedDistance(mask, size, size);
		let [both, either, squares, samples] = [0, 0, 0, 0];
		for (let pixel = 0; pixel < size * size; pixel++) {
			const covered = drawn.data[pixel * 4 + 3] > 127;
			if (covered && mask[pixel] === 1) both++;
			if (covered || mask[pixel] === 1) either++;
			const [r, g, b] = color.subarray(pixel * 3, pixel * 3 + 3);
			if (distance[pixel] > -marginPixels || Math.min(r, g, b) >= whiteLevel) continue;
			for (let c = 0; c < 3; c++) squares += (color[pixel * 3 + c] - (covered ? drawn.data[pixel * 4 + c] : 255)) ** 2;
			samples += 3;
		}
		const psnr = 10 * Math.log10((255 ** 2 * samples) / squares);
		found.push({ view: sideNames[found.length], psnr, overlap: both / either });
	}
	return found;
}

/** Connected pieces, and edges with one face, of meshes whose vertices are doubled along seams. */
export function piecesOf(meshes: readonly Mesh[]): { readonly pieces: number; readonly boundaryEdges: number } {
	const places = new Map<string, number>();
	const faces: number[] = [];
	for (const mesh of meshes) {
		for (const vertex of mesh.faces) {
			const key = mesh.positions.subarray(vertex * 3, vertex * 3 + 3).join(" ");
			const place = places.get(key) ?? places.size;
			places.set(key, place);
			faces.push(place);
		}
	}
	const { faceEdges, degrees } = meshEdges(Uint32Array.from(faces));
	const boundaryEdges = degrees.reduce((sum: number, degree) => sum + (degree === 1 ? 1 : 0), 0);
	return { pieces: connectedFaces(faceEdges, degrees.length).pieces, boundaryEdges };
}

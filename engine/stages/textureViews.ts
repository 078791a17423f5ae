import { defaults } from "../defaults.ts";
import type { Device } from "../gpu/device.ts";
import { bilinearResize } from "../image/bilinear.ts";
import { copyInto, mirroredSamples } from "../image/crop.ts";
import { dropAlpha, type FloatImage, type Image, imageOf, truncateToImage } from "../image/image.ts";
import { loadView } from "../image/stageViews.ts";
import type { BakeObservation } from "../mesh/textureSamples.ts";
import { type BakeView, bakeViews } from "../splat/cameras.ts";
import type { GaussianCloud } from "../splat/gaussianCloud.ts";
import { openGaussianRenderer } from "../splat/renderGaussians.ts";
import type { StageOneResult } from "./results.ts";

// What the texture is fitted to (reference/stage2/ARCHITECTURE.md section 11): stage 1's five views, then pictures of the Gaussians.

/** A picture, and where it counts. */
export interface BodyPicture extends Pick<BakeObservation, "width" | "height" | "color"> {
	/** [height, width] 1 where it shows the body. */
	readonly mask: Uint8Array;
}

/** Views that stage 1 stores mirrored: back and left. */
const mirroredViews = [2, 3];

/** The face view, which shows the middle third of the upper third of the front. */
const faceView = 4;

/** First value of a normal map that counts as white background. */
const backgroundLevel = 230;

/** The five views as the bake's cameras see them: body views of `size` pixels a side, the face on a white picture of twice that. */
export function bodyPictures(stageOne: Pick<StageOneResult, "colors" | "normals">, size: number = defaults.viewSize): BodyPicture[] {
	return stageOne.colors.map((image, view) => {
		const normal = stageOne.normals[view];
		if (view === faceView) return onFaceCanvas(loadView(image, size), loadView(normal, size), size);
		// A byte comes back from its float as it was (k / 255 * 255 in float32, all 256 of them).
		const isSized = ({ width, height }: Image) => width === size && height === size;
		const color = isSized(image) ? dropAlpha(image).data : truncateToImage(loadView(image, size)).data;
		const seen = { width: size, height: size, color, mask: isSized(normal) ? bodyMaskOfBytes(normal) : bodyMask(loadView(normal, size)) };
		return mirroredViews.includes(view)
			? { ...seen, color: mirroredSamples(seen.color, size, 3), mask: mirroredSamples(seen.mask, size, 1) }
			: seen;
	});
}

/** [height, width] 1 where any channel of a normal map is below 230. */
function bodyMask({ width, height, data }: FloatImage): Uint8Array {
	const mask = new Uint8Array(width * height);
	for (let i = 0; i < data.length; i++) if (data[i] * 255 < backgroundLevel) mask[Math.floor(i / 3)] = 1;
	return mask;
}

/** The same of a picture that has its size already. */
function bodyMaskOfBytes(normal: Image): Uint8Array {
	const { width, height, data } = dropAlpha(normal);
	const isBody = Array.from({ length: 256 }, (_, value) => Math.fround(value / 255) * 255 < backgroundLevel);
	const mask = new Uint8Array(width * height);
	for (let i = 0; i < mask.length; i++) if (isBody[data[i * 3]] || isBody[data[i * 3 + 1]] || isBody[data[i * 3 + 2]]) mask[i] = 1;
	return mask;
}

/** The face, a third of the canvas wide, in the middle of its upper edge. */
function onFaceCanvas(color: FloatImage, normal: FloatImage, size: number): BodyPicture {
	const [side, face] = [size * 2, Math.round((size * 2) / 3)];
	const canvas = imageOf(side, side, 3, new Uint8Array(side * side * 3).fill(255));
	const left = Math.round((side - face) / 2);
	copyInto(canvas, truncateToImage(bilinearResize(color, face, face)), left, 0);
	const faceMask = bodyMask(bilinearResize(normal, face, face));
	const mask = new Uint8Array(side * side);
	for (let row = 0; row < face; row++) mask.set(faceMask.subarray(row * face, (row + 1) * face), row * side + left);
	return { width: side, height: side, color: canvas.data, mask };
}

/** What `textureViews` shows. */
export interface TextureViewsRequest {
	/** `bodyPictures`. */
	readonly pictures: readonly BodyPicture[];
	readonly gaussians: GaussianCloud | undefined;
	/** Pictures of the Gaussians, and pixels of their sides. */
	readonly renders: number;
	readonly renderSize: number;
	/** Bytes that the GPU may hold in all. */
	readonly maxMemory?: number | undefined;
}

/** The views of the bake one after the other: five of stage 1, then Gaussians, if any, from all around, which count where they are not black. */
export async function* textureViews(device: Device, request: TextureViewsRequest): AsyncGenerator<BakeObservation> {
	const { pictures, gaussians, renders, renderSize: size, maxMemory } = request;
	const cameras = bakeViews(renders);
	for (const [view, seen] of pictures.entries()) yield observation(seen, cameras[view]);
	if (gaussians === undefined) return;
	const renderer = await openGaussianRenderer(device, gaussians, {
		width: size,
		height: size,
		...(maxMemory !== undefined && { maxMemory }),
	});
	try {
		let drawn: (() => Promise<BakeObservation>) | undefined;
		for (const camera of cameras.slice(pictures.length)) {
			await renderer.render(camera); // while the picture before is read
			if (drawn !== undefined) yield await drawn();
			const reading = renderer.readBytes();
			reading.catch(() => undefined); // reported where it is awaited
			drawn = async () => observation({ width: size, height: size, color: await reading }, camera);
		}
		if (drawn !== undefined) yield await drawn();
	} finally {
		renderer.destroy();
	}
}

function observation(
	seen: Pick<BakeObservation, "width" | "height" | "color" | "mask">,
	{ view, projection, orthographic }: BakeView,
): BakeObservation {
	return { ...seen, view, projection, rowsRunWithRaster: orthographic };
}

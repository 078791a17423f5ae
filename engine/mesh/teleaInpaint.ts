import { type TeleaWeights, teleaFill, teleaRanges, teleaWeights } from "./teleaFill.ts";
import { type TeleaFront, teleaFront } from "./teleaFront.ts";

/**
 * Fills the pixels where `mask` is not 0 from the others, nearest first. cv2: `inpaint(image, mask, radius, INPAINT_TELEA)`, equal bit for
 * bit. `image` [height, width, 3], `mask` [height, width]; gives a new image. A picture without known pixels stays as it is.
 */
export function teleaInpaint(image: Uint8Array, mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
	if (image.length !== width * height * 3 || mask.length !== width * height) {
		throw new RangeError(`teleaInpaint: image must be [${height}, ${width}, 3] and mask [${height}, ${width}]`);
	}
	const front = teleaFront(mask, width, height, radius);
	const planes = planesOf(image);
	teleaFill(front, teleaWeightsOf(front), planes);
	return joinedPlanes(planes);
}

/** The weights of a front's whole order, range by range; the first ranges' may be there already. */
export function* teleaWeightsOf(front: TeleaFront, prepared: readonly TeleaWeights[] = []): Generator<TeleaWeights> {
	for (const [range, { first, end }] of teleaRanges(front).entries()) yield prepared[range] ?? teleaWeights(front, first, end);
}

/** The channels of [n, 3] bytes, each by itself. */
export function planesOf(image: Uint8Array): Uint8Array<ArrayBuffer>[] {
	return [0, 1, 2].map((channel) => {
		const plane = new Uint8Array(image.length / 3);
		for (let i = 0; i < plane.length; i++) plane[i] = image[i * 3 + channel];
		return plane;
	});
}

/** [n, 3] bytes of three channels of [n]. */
export function joinedPlanes(planes: readonly Uint8Array[]): Uint8Array {
	const image = new Uint8Array(planes[0].length * 3);
	planes.forEach((plane, channel) => {
		for (let i = 0; i < plane.length; i++) image[i * 3 + channel] = plane[i];
	});
	return image;
}

import { bilinearResize } from "./bilinear.ts";
import { type Image, imageOf, toFloatImage, truncateToImage } from "./image.ts";

/**
 * The face view where a front view twice as large shows it: a white square canvas of twice the side, the face bilinearly at a third of that in
 * the middle third of its upper third (x in [-1/6, 1/6], z in [1/6, 1/2] of the world). `face` is RGB and square, its side a multiple of 3:
 * 768 gives 1,536 with the face in columns 512 to 1023 and rows 0 to 511. Values are cut off to whole levels, as upstream does. For colours and for
 * normals alike. Upstream: render_utils, reference/stage2/ARCHITECTURE.md section 11.
 */
export function faceCanvas(face: Image): Image {
	const { width: side, height, channels } = face;
	if (side !== height || side % 3 !== 0 || channels !== 3) {
		throw new RangeError(`faceCanvas: face must be RGB and square, its side a multiple of 3; got ${side} x ${height} x ${channels}`);
	}
	const size = side * 2;
	const third = size / 3;
	const small = truncateToImage(bilinearResize(toFloatImage(face), third, third));
	const data = new Uint8Array(size * size * 3).fill(255);
	for (let row = 0; row < third; row++) {
		data.set(small.data.subarray(row * third * 3, (row + 1) * third * 3), (row * size + third) * 3);
	}
	return imageOf(size, size, 3, data);
}

import { blankImage, type Image } from "../image/image.ts";
import { isBodyPixel } from "../mesh/bodyViews.ts";

/** An RGB view as RGBA: opaque where its normal map shows the body, zeros on that map's white background. */
export function maskedView(view: Image, { data: normal }: Image): Image {
	const { width, height, data } = view;
	const masked = blankImage(width, height, 4);
	for (let pixel = 0; pixel < width * height; pixel++) {
		if (!isBodyPixel({ normal }, pixel)) continue;
		masked.data.set(data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
		masked.data[pixel * 4 + 3] = 255;
	}
	return masked;
}

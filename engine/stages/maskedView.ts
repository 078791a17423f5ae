import { blankImage, type Image } from "../image/image.ts";
import { isBodyPixel } from "../mesh/bodyViews.ts";
import type { U2netWeights } from "../models/u2netWeights.ts";
import { removeBackgrounds } from "./background.ts";
import type { PartContext } from "./part.ts";

/** Views of the body, RGB or RGBA: as many colours as normals. */
export interface BodyViews {
	readonly colors: readonly Image[];
	readonly normals: readonly Image[];
}

/**
 * RGB views as RGBA. With a network as PSHuman's inference.py does it (pengHTYX/PSHuman f2a6351): every picture, colours and then normals, by
 * itself through rembg, but with straight alpha; without one by `maskedView`.
 */
export async function maskedViews(
	context: PartContext,
	{ colors, normals }: BodyViews,
	network: U2netWeights | undefined,
): Promise<BodyViews> {
	if (network === undefined) {
		const masked = (views: readonly Image[]) => views.map((view, i) => maskedView(view, normals[i]));
		return { colors: masked(colors), normals: masked(normals) };
	}
	const cut = await removeBackgrounds(context, network, [...colors, ...normals]);
	return { colors: cut.slice(0, colors.length), normals: cut.slice(colors.length) };
}

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

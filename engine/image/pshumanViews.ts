import { copyInto, mirrored } from "./crop.ts";
import { blankImage, type FloatImage, type Image } from "./image.ts";
import { pasteFaceNormals, quantize, viewStrip } from "./stageViews.ts";

// Views as they leave PSHuman's diffusion (pengHTYX/PSHuman f2a6351, inference.py: run_inference).

/** PSHuman's body views in their order, as its files are named; the face is the seventh. */
export const pshumanViewNames: readonly string[] = Object.freeze(["front_face", "front_right", "right", "back", "left", "front_left"]);

/** Back and left, which the network draws as seen through the body. */
const mirroredViews: readonly number[] = [3, 4];

/** Those that SyncHuman's stage 1 has, too: front, right, back, left and the face. */
const stageOneViews: readonly number[] = [0, 2, 3, 4, 6];

/** What a run of PSHuman writes. */
export interface PshumanPictures {
	/** RGB, one for each name of `pshumanViewNames`. */
	readonly colors: readonly Image[];
	readonly normals: readonly Image[];
	/** What SyncHuman's stage 1 would give: front, right, back, left, face, back and left as the network drew them, in the pixels of front and right. */
	readonly unmirrored: { readonly colors: readonly Image[]; readonly normals: readonly Image[] };
	/** The input, then colour and normals of all seven views as the network drew them, in one row. */
	readonly strip: Image;
}

/**
 * Seven colour and seven normal views in [0, 1] as pictures: the first colour is the input itself, the face's normals go over the first
 * normals, back and left are mirrored, the face view is dropped. Rounded once, from float32 (upstream rounds float16 samples, which moves
 * single levels).
 */
export function pshumanPictures(input: FloatImage, colors: readonly FloatImage[], normals: readonly FloatImage[]): PshumanPictures {
	const body = pshumanViewNames.length;
	const turned = (views: readonly Image[]) => views.slice(0, body).map((view, i) => (mirroredViews.includes(i) ? mirrored(view) : view));
	const shared = (views: readonly Image[]) => stageOneViews.map((view) => views[view]);
	const plain = { colors: colors.map(quantize), normals: normals.map(quantize) };
	const views = viewStrip(plain.colors, plain.normals);
	const strip = blankImage(input.width + views.width, input.height, 3);
	copyInto(strip, quantize(input), 0, 0);
	copyInto(strip, views, input.width, 0);
	const shown = {
		colors: [quantize(input), ...plain.colors.slice(1)],
		normals: [quantize(pasteFaceNormals(normals[0], normals[body])), ...plain.normals.slice(1)],
	};
	return {
		colors: turned(shown.colors),
		normals: turned(shown.normals),
		unmirrored: { colors: shared(shown.colors), normals: shared(shown.normals) },
		strip,
	};
}

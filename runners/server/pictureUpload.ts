import { type BackgroundChoice, needsNetwork, pictureToCut } from "../cutOut.ts";
import { decodePicture } from "../imageFile.ts";

/** A check of uploaded pictures. */
export type CheckPicture = (bytes: Uint8Array, background: BackgroundChoice) => Promise<{ readonly alphaCoverage: number }>;

/** Alpha from which a pixel counts as covered, as the documented server had it. */
const visibleAlpha = 10;

/**
 * Reads pictures as a run will, one after the other, so that however many come in, only one is held decoded. Gives the share of the picture
 * that is visible (alpha > 10), all of it where the background is still to be removed. Throws code "input", also where that needs a network
 * that is not in the weights folder; without `weights`, those of workers elsewhere, that is theirs to say.
 */
export function pictureCheck(weights: string | undefined): CheckPicture {
	let last: Promise<unknown> = Promise.resolve();
	return (bytes, background) => {
		const check = last.then(async () => {
			const decoded = await decodePicture(bytes, "image");
			if (weights === undefined && needsNetwork(decoded, background)) return { alphaCoverage: 1 };
			const { image, network } = await pictureToCut(decoded, { background, weights: weights ?? [] });
			if (network !== undefined) return { alphaCoverage: 1 };
			let covered = 0;
			for (let i = 3; i < image.data.length; i += 4) if (image.data[i] > visibleAlpha) covered++;
			return { alphaCoverage: Math.round((covered / (image.width * image.height)) * 1e4) / 1e4 };
		});
		last = check.catch(() => undefined);
		return check;
	};
}

import { SyncHumanError } from "../engine/error.ts";
import { checkPersonImage, maxPixels } from "../engine/image/foreground.ts";
import { foregroundRemarks } from "../engine/image/foregroundRemarks.ts";
import type { Image } from "../engine/image/image.ts";
import { cutFromWhite } from "../engine/image/plainBackground.ts";
import type { RunCallbacks, Session } from "../engine/session.ts";
import { type BackgroundNetwork, findBackgroundNetwork } from "./backgroundNetwork.ts";
import { syntheticSize } from "./openWeights.ts";

/** What is done about a picture's background. */
export const backgroundChoices = ["auto", "remove", "keep", "white"] as const;

/** One of them: auto removes it where the picture has no transparency. */
export type BackgroundChoice = (typeof backgroundChoices)[number];

/** A picture, and the network that is to cut the person out of it where it is not cut out yet. */
export interface PictureToCut {
	readonly image: Image;
	readonly network: BackgroundNetwork | undefined;
	/** For run.json. */
	readonly cutOut: string;
}

/** Whether every pixel is opaque. */
function isOpaque({ channels, data }: Image): boolean {
	if (channels !== 4) return true;
	for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return false;
	return true;
}

/** What a command works with that decides about its picture's background. */
export interface BackgroundOptions {
	readonly background: BackgroundChoice;
	/** Synthetic weights by name, or folders that may hold the network. */
	readonly weights: string | readonly string[];
}

/** Whether only a network can cut the person out. */
export function needsNetwork(image: Image, background: BackgroundChoice): boolean {
	return background === "remove" || (background === "auto" && isOpaque(image));
}

/**
 * Decides how the person gets out of a picture, before any GPU is opened. Throws code "input" where the picture is not usable, or needs
 * a network and none is there; "checkpoint" where its file is damaged.
 */
export async function pictureToCut(image: Image, { background, weights }: BackgroundOptions): Promise<PictureToCut> {
	const made = (ready: Image, what: string): PictureToCut => {
		checkPersonImage(ready);
		return { image: ready, network: undefined, cutOut: what };
	};
	if (background === "white") return made(cutFromWhite(image), "plain white");
	if (!needsNetwork(image, background)) return made(image, "transparent in the picture");
	if (image.width * image.height > maxPixels) checkPersonImage(image);
	const network = await findBackgroundNetwork([weights].flat().filter((name) => syntheticSize(name) === undefined));
	if (network === undefined) {
		const why =
			image.channels !== 4
				? "The picture has no alpha channel"
				: isOpaque(image)
					? "The picture is opaque everywhere"
					: "--background remove";
		throw new SyncHumanError(
			"input",
			`${why}, and there is no network that removes backgrounds.`,
			"synchuman download puts u2net.onnx into the weights folder ($U2NET_HOME counts too); or cut the person out yourself (PNG with transparency), " +
				"or give --background white for a plain white background.",
		);
	}
	return { image, network, cutOut: `removed by ${network.path} (${network.byteLength} bytes)` };
}

/** The picture with its person cut out; says what removed the background, and what looks as if it would go wrong. */
export async function cutOut(
	engine: Pick<Session, "removeBackground">,
	{ image, network }: PictureToCut,
	callbacks: RunCallbacks,
	remark: (text: string) => void,
): Promise<Image> {
	if (network !== undefined) remark(`background: removed by ${network.path}`);
	const cut = network === undefined ? image : await engine.removeBackground(image, network.weights, callbacks);
	checkPersonImage(cut);
	for (const one of foregroundRemarks(cut)) remark(`warning: ${one}`);
	return cut;
}

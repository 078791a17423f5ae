import { texturePicture } from "../mesh/bakeTexture.ts";
import { finerView, type PixelLookups, pixelLookups } from "../mesh/pixelLookups.ts";
import { solveTexture } from "../mesh/solveTexture.ts";
import { startTexture } from "../mesh/startTexture.ts";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../mesh/textureSamples.ts";
import type { FinishWork } from "./finishWork.ts";

/** What `viewTexture` needs. */
export interface ViewTextureRequest {
	readonly mesh: TexturedMesh;
	/** [v, 3] 0..1 for what no view sees. */
	readonly colors: Float32Array;
	/** Front, right, back, left, face; with masks. */
	readonly views: readonly BakeObservation[];
	/** Texels per side. */
	readonly size: number;
	readonly work: Pick<FinishWork, "seeFaces" | "lookUp" | "findGaps">;
	/** Called after every view. */
	readonly report: (done: number, total: number) => void;
}

/** How much front, right, back, left and face count where they disagree: as much as upstream's last steps, which are front and back alone. */
export const viewWeights: readonly number[] = [1.75, 1, 1.5, 1.1, 0.1];

/** Views whose pixels are as large as a renderer's; the face's are finer than any picture of the whole body. */
const bodyViews = 4;

/**
 * The texture of a surface that five views alone show, a picture u8 [size, size, 3] with row 0 at v = 1: the one whose picture from each side comes
 * nearest to the view, by least squares. Departs from upstream, whose fit by Adam needs pictures from all around to decide between
 * views that disagree. On the host; deterministic.
 */
export async function viewTexture({ mesh, colors, views, size, work, report }: ViewTextureRequest): Promise<Uint8Array> {
	const finding = work.findGaps(mesh, size);
	finding.catch(() => undefined); // reported below
	let done = 0;
	const samples = await Promise.all(
		views.map(async (view, i) => {
			const seen = await work.seeFaces(mesh, i < bodyViews ? finerView(view) : view);
			const found = await work.lookUp(mesh, seen);
			report(++done, views.length);
			return found;
		}),
	);
	const start = startTexture(mesh, colors, samples, size, viewWeights);
	const { fill } = await finding; // first, because lookups beside a chart's border read what lies in the gaps
	const filled = textureOf(await fill(texturePicture(start, size)), size);
	const pixels = samples.map((found, i) =>
		i < bodyViews ? pixelLookups(views[i], found, size, viewWeights[i]) : singleLookups(found, viewWeights[i]),
	);
	return texturePicture(solveTexture(filled, size, pixels), size);
}

function singleLookups({ count, values }: TextureSamples, weight: number): PixelLookups {
	return { values, perPixel: 1, weights: new Float32Array(count).fill(weight) };
}

/** The inverse of `texturePicture`, in the middle of the levels. */
function textureOf(picture: Uint8Array, size: number): Float32Array {
	const row = size * 3;
	return Float32Array.from({ length: picture.length }, (_, i) => (picture[(size - 1 - Math.floor(i / row)) * row + (i % row)] + 0.5) / 255);
}

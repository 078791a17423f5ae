import type { Image } from "../image/image.ts";
import { overBackground } from "../image/sheet.ts";
import type { Shading } from "../mesh/drawMesh.ts";
import { type Figure, type FigureView, figurePictures, figurePicturesBytes } from "./figurePictures.ts";
import { type Part, type PartContext, planStage, runPart, stopIfAborted } from "./part.ts";

/** What `drawFigure` draws. */
export interface DrawFigureRequest {
	/** What the stage and its part are called in plans and measurements. */
	readonly name: { readonly stage: string; readonly part: string };
	readonly figure: Figure;
	readonly views: readonly FigureView[];
	/** Pixels of a side. */
	readonly size: number;
	/** Of meshes; Gaussians have their colours. */
	readonly shading: Shading;
	/** sRGB; undefined: transparent. */
	readonly background: readonly [number, number, number] | undefined;
}

/** Square pictures of a figure as a part of a run, one a view: RGB, or RGBA without a background. */
export async function drawFigure(context: PartContext, request: DrawFigureRequest): Promise<readonly Image[]> {
	const { name, figure, views, size, shading, background } = request;
	const { device, maxMemory } = context;
	const part: Part = { name: name.part, weights: [], graphs: [], extraBytes: figurePicturesBytes(device, { figure, size }) };
	await planStage(context, name.stage, [part]);
	return runPart(context, part, async (_, report) => {
		const made: Image[] = [];
		for await (const picture of figurePictures(device, { figure, views, size, shading, maxMemory })) {
			stopIfAborted(context);
			made.push(background === undefined ? picture : overBackground(picture, background));
			report(made.length, views.length);
		}
		return made;
	});
}

import type { PshumanCheckpoint } from "../weights/pshumanCheckpoint.ts";
import { defaults } from "./defaults.ts";
import { SyncHumanError } from "./error.ts";
import type { Image } from "./image/image.ts";
import type { PshumanPictures } from "./image/pshumanViews.ts";
import { readPshumanConfig } from "./models/pshumanDiffusion.ts";
import type { U2netWeights } from "./models/u2netWeights.ts";
import { TorchCudaGenerator } from "./random/philox.ts";
import { type RunCallbacks, Session, type SessionOptions } from "./session.ts";
import { type DrawFigureRequest, drawFigure } from "./stages/drawFigure.ts";
import type { FinishOptions } from "./stages/finish.ts";
import { type BodyViews, maskedViews } from "./stages/maskedView.ts";
import { runPshuman } from "./stages/pshuman.ts";
import { type Reconstruction, runReconstruction } from "./stages/reconstruction.ts";
import { standInNormals } from "./stages/standInNormals.ts";

/** What PSHuman works with. */
export interface PsHumanOptions extends SessionOptions {
	readonly weights: PshumanCheckpoint;
}

/** Choices of one picture's views; each defaults to engine/defaults.ts. */
export interface PsHumanViewOptions extends RunCallbacks {
	/** Where all noise is drawn from: a number to seed a generator with, or a generator that goes on from picture to picture, as upstream does. */
	readonly seed?: number | TorchCudaGenerator;
	readonly steps?: number;
	readonly guidance?: number;
	/** 0 deterministic, 1 as much fresh noise as DDPM. */
	readonly eta?: number;
	/** Pixels, of 768, that the person's longer side is fitted to; negative: the whole picture. */
	readonly cropSize?: number;
	/** Hears of what a run does that its user should know. */
	readonly onRemark?: (remark: string) => void;
}

/** Choices of one body. */
export interface PsHumanBodyOptions extends RunCallbacks {
	/** Of the order of the views in the texture fit. */
	readonly seed?: number;
	/** How the surface is finished; without it has a colour per vertex. */
	readonly finish?: FinishOptions | undefined;
}

/** A body of PSHuman's views. */
export interface PsHumanBody extends Reconstruction {
	/** True where the normals are an analytic figure's, which stand in for the noise of synthetic weights. */
	readonly syntheticGeometry: boolean;
}

/**
 * PSHuman: picture -> seven colour and normal views by its multi-view diffusion -> a body of five of them, by `runReconstruction` and not by
 * upstream's SMPL-X. Same seed, device and build: same bytes. Throws SyncHumanError, whose code says what kind of problem it is.
 */
export class PsHuman extends Session {
	readonly weights: PshumanCheckpoint;

	private constructor(options: PsHumanOptions) {
		super(options);
		this.weights = options.weights;
	}

	/** Checks that device, precision and checkpoint fit together; allocates nothing. */
	static async open(options: PsHumanOptions): Promise<PsHuman> {
		const opened = new PsHuman(options);
		const { layout } = readPshumanConfig(await options.weights.config("unet"));
		if (layout.views !== defaults.pshuman.views) {
			throw new SyncHumanError(
				"checkpoint",
				`${options.weights.name}: num_views is ${layout.views}; PSHuman has ${defaults.pshuman.views}, six of the body and the face`,
				"Use PSHuman_Unclip_768_6views.",
			);
		}
		return opened;
	}

	/** Picture (RGBA, the person cut out) to views. */
	views(image: Image, options: PsHumanViewOptions = {}): Promise<PshumanPictures> {
		const { seed, ...otherwise } = defaults.pshuman;
		const {
			steps = otherwise.steps,
			guidance = otherwise.guidance,
			eta = otherwise.eta,
			cropSize = otherwise.cropSize,
			onRemark,
		} = options;
		const start = options.seed ?? seed;
		const generator = typeof start === "number" ? new TorchCudaGenerator(start) : start;
		const request = { checkpoint: this.weights, dtype: this.dtype, image, generator, steps, guidance, eta, cropSize, onRemark };
		return runPshuman(this.context(options), request);
	}

	/**
	 * The six views of the body cut out, RGBA: with U^2-Net as upstream does it, soft at the edges; without a network where the normals are not white.
	 */
	maskedViews(
		{ colors, normals }: Pick<PshumanPictures, "colors" | "normals">,
		network?: U2netWeights,
		options: RunCallbacks = {},
	): Promise<BodyViews> {
		return maskedViews(this.context(options), { colors, normals }, network);
	}

	/** Views to a body. With synthetic weights, and only then, its shape is an analytic figure's. */
	async body({ unmirrored }: Pick<PshumanPictures, "unmirrored">, options: PsHumanBodyOptions = {}): Promise<PsHumanBody> {
		const { seed = defaults.pshuman.seed, finish } = options;
		const syntheticGeometry = this.weights.name.startsWith("synthetic:");
		const views = syntheticGeometry ? { ...unmirrored, normals: standInNormals(unmirrored.normals[0].width) } : unmirrored;
		return { ...(await runReconstruction(this.context(options), { views, seed, finish })), syntheticGeometry };
	}

	/** Pictures of a figure, such as a turntable of the body. */
	draw(request: DrawFigureRequest, options: RunCallbacks = {}): Promise<readonly Image[]> {
		return drawFigure(this.context(options), request);
	}
}

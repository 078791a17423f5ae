import type { Checkpoint } from "../weights/checkpoint.ts";
import { syntheticBody } from "../weights/syntheticCheckpoint.ts";
import { defaults } from "./defaults.ts";
import { SyncHumanError } from "./error.ts";
import type { Image } from "./image/image.ts";
import { samplePerson } from "./image/samplePerson.ts";
import { bodyCoordinates } from "./random/bodyGeometry.ts";
import { type RunCallbacks, Session, type SessionOptions } from "./session.ts";
import type { FinishOptions } from "./stages/finish.ts";
import type { OpenFinishWork } from "./stages/finishWork.ts";
import type { StageOneResult, StageTwoResult } from "./stages/results.ts";
import { runStageOne } from "./stages/stage1.ts";
import { runStageTwo } from "./stages/stage2.ts";

/** What the engine works with. */
export interface OpenOptions extends SessionOptions {
	readonly weights: Checkpoint;
	/** Reads picture files for `generate(bytes)`; the engine itself knows no formats. */
	readonly decode?: (bytes: Uint8Array) => Promise<Image>;
}

/** Choices of one run; each defaults to engine/defaults.ts. */
export interface RunOptions extends RunCallbacks {
	readonly seed?: number;
	/** Denoising steps of stage 1. */
	readonly steps?: number;
	/** Steps of stage 2's latent flow. */
	readonly stageTwoSteps?: number;
	/** Guidance of stage 1. */
	readonly guidance?: number;
	/** Texels per side of the texture; 0 leaves the surface as it is, with a colour per vertex. */
	readonly textureSize?: number;
	/** Faces that stay before a texture is made: up to 1 their share, above it their number. */
	readonly simplify?: number;
	/** Texels per area of the head as a multiple of those elsewhere. */
	readonly faceTexels?: number;
	/** Makes a normal map of the normal views. */
	readonly normalMap?: boolean;
	/** How much is looked at for the texture; engine/stages/finish.ts has what there is. */
	readonly effort?: FinishOptions["effort"];
	/** Does the CPU's share of the finishing on other threads; on this one unless it is given. */
	readonly openFinishWork?: OpenFinishWork;
}

/**
 * The whole walk: picture -> five views and voxels (stage 1) -> textured mesh and Gaussians (stage 2). Same seed, device and build:
 * same bytes. Throws SyncHumanError, whose code says what kind of problem it is.
 */
export class SyncHuman extends Session {
	readonly weights: Checkpoint;
	readonly #decode: OpenOptions["decode"];

	private constructor(options: OpenOptions) {
		super(options);
		this.weights = options.weights;
		this.#decode = options.decode;
	}

	/** Checks that device and precision fit together; allocates nothing. */
	static async open(options: OpenOptions): Promise<SyncHuman> {
		return new SyncHuman(options);
	}

	/** Picture (RGBA, the person cut out) to views and voxels. */
	stageOne(image: Image, options: RunOptions = {}): Promise<StageOneResult> {
		const { seed = defaults.seed, steps = defaults.steps, guidance = defaults.guidance } = options;
		return runStageOne(this.context(options), { checkpoint: this.weights, dtype: this.dtype, image, seed, steps, guidance });
	}

	/** Views and voxels to mesh and Gaussians. */
	stageTwo(stageOne: StageOneResult, options: RunOptions = {}): Promise<StageTwoResult> {
		const {
			seed = defaults.seed,
			stageTwoSteps,
			textureSize = defaults.textureSize,
			simplify = defaults.simplify,
			faceTexels,
			normalMap,
			effort,
			openFinishWork,
		} = options;
		return runStageTwo(this.context(options), {
			checkpoint: this.weights,
			dtype: this.dtype,
			stageOne,
			seed,
			steps: stageTwoSteps ?? defaults.stageTwoSteps,
			finish: textureSize === 0 ? undefined : { textureSize, simplify, faceTexels, normalMap, effort, openFinishWork },
		});
	}

	/** Both stages, from a picture or from the bytes of a picture file. One run at a time. */
	async generate(
		picture: Image | Uint8Array,
		options: RunOptions = {},
	): Promise<{ readonly stageOne: StageOneResult; readonly stageTwo: StageTwoResult }> {
		const stageOne = await this.stageOne(picture instanceof Uint8Array ? await this.#decoded(picture) : picture, options);
		return { stageOne, stageTwo: await this.stageTwo(stageOne, options) };
	}

	/**
	 * Does once, on a stand-in picture and with one step a stage, what a run does: then every kernel is compiled, and where weights are
	 * resident they are loaded. Leaves no measurement.
	 */
	async warmUp(options: Pick<RunOptions, "signal" | "onProgress" | "onPlan"> = {}): Promise<void> {
		const measured = this.measurements.length;
		const once = { ...options, steps: 1, stageTwoSteps: 1, textureSize: 0 };
		try {
			const stageOne = await this.stageOne(samplePerson(), once);
			// A single step need not find a body: any will do.
			await this.stageTwo({ ...stageOne, coordinates: bodyCoordinates(syntheticBody.full) }, once);
		} catch (error) {
			// Nor need the surface of such a body be one.
			if (!(error instanceof SyncHumanError && error.code === "input")) throw error;
		} finally {
			this.measurements.length = measured;
		}
	}

	#decoded(bytes: Uint8Array): Promise<Image> {
		if (this.#decode !== undefined) return this.#decode(bytes);
		throw new SyncHumanError("input", "The bytes of a picture file were given, but nothing to read them.", "Give SyncHuman.open `decode`.");
	}
}

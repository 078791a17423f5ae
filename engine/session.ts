import { SyncHumanError } from "./error.ts";
import type { Device } from "./gpu/device.ts";
import type { Image } from "./image/image.ts";
import type { U2netWeights } from "./models/u2netWeights.ts";
import { removeBackgrounds } from "./stages/background.ts";
import { Networks } from "./stages/networks.ts";
import type { MemoryPlan, PartContext, PartMeasurement, Progress } from "./stages/part.ts";
import { type PreviewedSurface, previewSheet } from "./stages/preview.ts";
import type { ViewPreview } from "./stages/viewPreview.ts";

/** What an engine works with, whichever networks it has. */
export interface SessionOptions {
	/** An opened GPU, see engine/gpu/device.ts. Closed by whoever opened it. */
	readonly device: Device;
	/** Precision of weights and activations; default f16 where the GPU has it. */
	readonly dtype?: "f16" | "f32";
	/**
	 * Bytes of GPU memory that may be used. Where all weights of a run fit too, they stay on the GPU until `close` (resident), and the next
	 * run uploads nothing; otherwise, and where nothing is given, each part loads and frees its own (staged). Same bytes out.
	 */
	readonly maxMemory?: number;
}

/** How a run is stopped and whom it tells. */
export interface RunCallbacks {
	/** Stops at the next step with code "aborted". */
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: Progress) => void;
	/** Told the memory of each stage before it allocates. */
	readonly onPlan?: (plan: MemoryPlan) => void;
	/** Shown coarse colour views up to seventeen times while stage 1 denoises; the result is the same with it and without. */
	readonly onViews?: (preview: ViewPreview) => void;
}

/** A GPU, a precision and the networks that were opened on it: what the engines share. */
export class Session {
	readonly device: Device;
	readonly dtype: "f16" | "f32";
	/** What every part cost so far, in the order they ran. */
	readonly measurements: PartMeasurement[] = [];
	readonly #maxMemory: number | undefined;
	readonly #networks = new Networks();

	/** Checks that device and precision fit together; allocates nothing. Throws code "device". */
	protected constructor({ device, dtype, maxMemory }: SessionOptions) {
		const { f16, adapter } = device.report;
		this.device = device;
		this.dtype = dtype ?? (f16 ? "f16" : "f32");
		this.#maxMemory = maxMemory;
		if (this.dtype === "f16" && !f16) throw new SyncHumanError("device", `${adapter} has no shader-f16.`, "Use --dtype f32.");
	}

	/** The input and four sides of a surface as one picture. */
	preview(surface: PreviewedSurface, input: Image, options: RunCallbacks = {}): Promise<Image> {
		return previewSheet(this.context(options), surface, input);
	}

	/** A picture with its background removed as rembg does it (U^2-Net, see engine/models/u2netWeights.ts): RGBA, straight alpha. */
	async removeBackground(image: Image, network: U2netWeights, options: RunCallbacks = {}): Promise<Image> {
		const [cut] = await removeBackgrounds(this.context(options), network, [image]);
		return cut;
	}

	/** Frees the weights that are on the GPU. The device stays open. */
	close(): void {
		this.#networks.release();
	}

	/** What the parts of a run share. */
	protected context({ signal, onProgress, onPlan, onViews }: RunCallbacks): PartContext {
		return {
			device: this.device,
			maxMemory: this.#maxMemory,
			onProgress,
			onPlan,
			onViews,
			signal,
			measurements: this.measurements,
			networks: this.#networks,
		};
	}
}

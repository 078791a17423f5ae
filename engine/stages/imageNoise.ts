import { SyncHumanError } from "../error.ts";
import { cumulativeAlphas, type NoiseScheduleConfig, type Rounding } from "../samplers/diffusionSchedule.ts";

/** Statistics of picture embeddings: `mean` and `std` of a checkpoint's image_normalizer, [width] each. */
export interface EmbeddingStatistics {
	readonly mean: Float32Array;
	readonly deviation: Float32Array;
}

/**
 * Picture embeddings [rows, width] with noise of a level of the schedule: normalised, sqrt(alpha) e + sqrt(1 - alpha) noise, scaled back.
 * Every operation is rounded by `round`, the alpha first: in float16, as PSHuman runs, alpha of level 0 is exactly 1 and the noise
 * vanishes; in float32 it does not. Upstream: diffusers' StableUnCLIPImg2ImgPipeline.noise_image_embeddings.
 */
export function noiseImageEmbeddings(
	embeddings: Float32Array,
	noise: Float32Array,
	{ mean, deviation }: EmbeddingStatistics,
	{ schedule, level, round }: { readonly schedule: NoiseScheduleConfig; readonly level: number; readonly round: Rounding },
): Float32Array {
	const width = mean.length;
	if (deviation.length !== width || embeddings.length % width !== 0) {
		throw new SyncHumanError(
			"checkpoint",
			`image_normalizer: mean and std have ${width} and ${deviation.length} values, a picture's embedding has another width`,
			"Use the image_normalizer and the image_encoder of one checkpoint.",
		);
	}
	const alpha = round(cumulativeAlphas(schedule, Math.fround)[level]);
	const [kept, added] = [round(Math.sqrt(alpha)), round(Math.sqrt(round(1 - alpha)))];
	return embeddings.map((value, i) => {
		const [m, d] = [mean[i % width], deviation[i % width]].map(round);
		const normalised = round(round(round(value) - m) / d);
		const noisy = round(round(kept * normalised) + round(added * round(noise[i])));
		return round(round(noisy * d) + m);
	});
}

import type { ConfigReader } from "../../weights/configReader.ts";
import type { ClipPreprocessing } from "../image/clipPixels.ts";

/** Reads feature_extractor/preprocessor_config.json. Throws code "checkpoint" for steps that this engine does not have. */
export function readClipPreprocessing(config: ConfigReader): ClipPreprocessing {
	for (const key of ["do_resize", "do_center_crop", "do_rescale", "do_normalize"]) {
		if (!config.boolean(key, true)) throw config.error(key, "must be true, got false");
	}
	const resample = config.integer("resample", { fallback: 3 });
	if (resample !== 3) throw config.error("resample", `must be 3 (bicubic), got ${resample}`);
	const side = (key: string, names: readonly string[]): number[] => {
		const sizes = config.object(key);
		return names.map((name) => sizes.integer(name, { min: 1, max: 4096 }));
	};
	const [shortestEdge] = side("size", ["shortest_edge"]);
	const [cropHeight, cropWidth] = side("crop_size", ["height", "width"]);
	if (shortestEdge < Math.max(cropHeight, cropWidth)) throw config.error("crop_size", `must fit into shortest_edge ${shortestEdge}`);
	return {
		shortestEdge,
		cropWidth,
		cropHeight,
		rescaleFactor: config.number("rescale_factor", { fallback: 1 / 255 }),
		mean: config.numbers("image_mean", { length: 3 }),
		deviation: config.numbers("image_std", { length: 3 }),
	};
}

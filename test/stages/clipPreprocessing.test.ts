import { describe, expect, it } from "vitest";
import { readClipPreprocessing } from "../../engine/stages/clipPreprocessing.ts";
import { configOf } from "../../runners/parity/configOf.ts";

const json = {
	crop_size: { height: 224, width: 224 },
	size: { shortest_edge: 224 },
	image_mean: [0.5, 0.4, 0.3],
	image_std: [0.2, 0.25, 0.3],
	resample: 3,
	rescale_factor: 0.00392156862745098,
};
const read = (extra: object) => readClipPreprocessing(configOf({ ...json, ...extra }, "preprocessor_config.json"));

describe("readClipPreprocessing", () => {
	it("reads the official form", () => {
		expect(read({})).toEqual({
			shortestEdge: 224,
			cropWidth: 224,
			cropHeight: 224,
			rescaleFactor: 0.00392156862745098,
			mean: [0.5, 0.4, 0.3],
			deviation: [0.2, 0.25, 0.3],
		});
	});

	it("refuses what this engine does not have", () => {
		expect(() => read({ resample: 2 })).toThrow(/resample must be 3/);
		expect(() => read({ do_center_crop: false })).toThrow(/do_center_crop must be true/);
		expect(() => read({ crop_size: { height: 300, width: 224 } })).toThrow(/crop_size must fit/);
	});
});

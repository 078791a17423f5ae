import { damaged } from "./damaged.ts";
import type { StoredTensor } from "./source.ts";
import { describeShape, sameShape } from "./storedTensor.ts";

/** Rows of the seven stored views (front, front right, right, back, left, front left, face) that the five views of stage 1 use. */
const usedViews = Object.freeze([0, 2, 3, 4, 6]);
const storedViews = 7;

/**
 * The text conditioning of stage 1: [10, tokens, width] = five normal views, then five colour views, each front, right, back, left, face,
 * of the two stored [7, tokens, width]. Element type as stored. A file of another shape is an error of code "checkpoint".
 */
export function selectPromptEmbeddings(normal: StoredTensor, color: StoredTensor): StoredTensor {
	const [views, tokens, width] = normal.shape;
	if (normal.shape.length !== 3 || views !== storedViews || !sameShape(normal.shape, color.shape) || normal.dtype !== color.dtype) {
		const got = `${normal.dtype} ${describeShape(normal.shape)} and ${color.dtype} ${describeShape(color.shape)}`;
		throw damaged("normal_embeds.pt and clr_embeds.pt", `must both be [${storedViews}, tokens, width] of one type, got ${got}`);
	}
	const viewBytes = normal.bytes.byteLength / storedViews;
	const bytes = new Uint8Array(2 * usedViews.length * viewBytes);
	[normal, color].forEach((domain, half) => {
		usedViews.forEach((view, i) => {
			bytes.set(domain.bytes.subarray(view * viewBytes, (view + 1) * viewBytes), (half * usedViews.length + i) * viewBytes);
		});
	});
	return { dtype: normal.dtype, shape: [2 * usedViews.length, tokens, width], bytes };
}

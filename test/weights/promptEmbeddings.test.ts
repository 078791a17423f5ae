import { expect, test } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { selectPromptEmbeddings } from "../../weights/promptEmbeddings.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const views = (first: number, count = 7) =>
	storedFromFloat32(
		Float32Array.from({ length: count * 2 }, (_, i) => first + (i >> 1)),
		[count, 2, 1],
		"F16",
	);

test("selectPromptEmbeddings: five of seven views, normals before colours", () => {
	const selected = selectPromptEmbeddings(views(0), views(10));
	expect(selected.shape).toEqual([10, 2, 1]);
	expect([...toFloat32(selected)].filter((_, i) => i % 2 === 0)).toEqual([0, 2, 3, 4, 6, 10, 12, 13, 14, 16]);
});

test("selectPromptEmbeddings: another number of views, or two different files, are refused", () => {
	expect(() => selectPromptEmbeddings(views(0, 5), views(0, 5))).toThrow(SyncHumanError);
	expect(() => selectPromptEmbeddings(views(0), storedFromFloat32(new Float32Array(14), [7, 2, 1]))).toThrow(SyncHumanError);
});

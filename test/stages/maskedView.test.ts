import { describe, expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { maskedView } from "../../engine/stages/maskedView.ts";

describe("maskedView", () => {
	it("is opaque where the normals are not white, and zeros elsewhere", () => {
		const view = imageOf(2, 1, 3, Uint8Array.of(1, 2, 3, 4, 5, 6));
		const normal = imageOf(2, 1, 3, Uint8Array.of(255, 229, 255, 230, 255, 255));
		expect([...maskedView(view, normal).data]).toEqual([1, 2, 3, 255, 0, 0, 0, 0]);
	});
});

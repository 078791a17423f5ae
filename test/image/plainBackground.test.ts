import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { cutFromWhite } from "../../engine/image/plainBackground.ts";

it("makes white that reaches the border transparent, and keeps white inside", () => {
	const rows = ["......", ".####.", ".#..#.", ".####.", "....#."];
	const data = Uint8Array.from([...rows.join("")].flatMap((cell) => (cell === "." ? [250, 255, 246] : [200, 255, 255])));
	const cut = cutFromWhite(imageOf(6, 5, 3, data));
	const alpha = cut.data.filter((_, i) => i % 4 === 3);
	expect([...alpha].map((a) => (a === 0 ? "." : "#")).join("")).toBe("......" + ".####." + ".####." + ".####." + "....#.");
	expect([...cut.data.subarray(0, 3)]).toEqual([250, 255, 246]);
});

import { expect, test } from "vitest";
import { roundHalfToEven } from "../engine/roundHalfToEven.ts";

test("halves go to the even neighbour", () => {
	expect([-5.5, -0.5, 0.5, 1.5, 2.5, 33.5, 0.4999, 2.0001].map((x) => roundHalfToEven(x) + 0)).toEqual([-6, 0, 0, 2, 2, 34, 0, 2]);
});

import { expect, it } from "vitest";
import { rehearseFinishing } from "../../runners/rehearseFinishing.ts";

it("runs everything that other threads do in a finishing", async () => {
	await expect(rehearseFinishing()).resolves.toBeUndefined();
});

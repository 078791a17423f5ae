import { expect, it } from "vitest";
import { rehearseFinishing } from "../../runners/rehearseFinishing.ts";

it("can be done on its own", async () => {
	expect(await rehearseFinishing()).toBe(true);
});

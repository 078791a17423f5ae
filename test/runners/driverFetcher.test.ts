import { expect, it } from "vitest";
import { withDriver } from "../../runners/driverFetcher.ts";

it("withDriver leaves an adapter that is there alone and gives the status of what it runs", async () => {
	expect(await withDriver(async () => 7)).toBe(7);
});

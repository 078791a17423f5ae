import { beforeAll, describe, expect, it } from "vitest";
import { bundle, synchuman } from "../../support/program.ts";

// The program itself, as users meet it.

beforeAll(bundle);

describe("synchuman doctor", () => {
	it("finds everything for tiny weights on this machine", async () => {
		const { status, stdout, stderr } = await synchuman(["doctor", "--weights", "synthetic:tiny", "--adapter", "software"], { cwd: "." });
		expect(status, stdout + stderr).toBe(0);
		expect(stdout).toMatch(/generate would run\n$/);
	});

	it("has no stack where there is no driver, and no weights", async () => {
		const env = { VK_DRIVER_FILES: "/dev/null", VK_ICD_FILENAMES: "/dev/null" };
		for (const more of [[], ["--adapter", "software"], ["--json"]]) {
			const { status, stdout, stderr } = await synchuman(["doctor", "--weights", "/nowhere", ...more], { cwd: ".", env });
			expect(status).toBe(3);
			expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+/m);
			if (more[0] !== "--json") expect(stdout).toMatch(/^generate would not run: adapter, weights$/m);
			else expect(JSON.parse(stdout)).toMatchObject({ runs: false });
		}
	});
});

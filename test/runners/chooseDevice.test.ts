import { describe, expect, it } from "vitest";
import { chooseDevice } from "../../runners/chooseDevice.ts";
import { testDevice } from "../support/gpu.ts";

describe("chooseDevice", () => {
	it("takes an adapter by part of its name, and says what there is otherwise", async () => {
		const { adapter, software } = (await testDevice()).report;
		const [name] = adapter.split(/[^a-z0-9]/i);
		expect((await chooseDevice({ adapter: name, allowSoftware: true })).report.adapter).toBe(adapter);
		const none = {
			code: "device",
			message: expect.stringMatching(/^No adapter's name contains "Voodoo 2"; there is .+\.$/),
			hint: "See synchuman info.",
		};
		await expect(chooseDevice({ adapter: "Voodoo 2" })).rejects.toMatchObject(none);
		if (software) await expect(chooseDevice({})).rejects.toMatchObject({ code: "device", message: expect.stringMatching(/software one/) });
	});

	it("takes the CPU where it is asked for by name", async ({ skip }) => {
		if (!(await testDevice()).report.software) skip("a machine with a GPU need not have a CPU adapter");
		expect((await chooseDevice({ adapter: "software" })).report.software).toBe(true);
	});
});

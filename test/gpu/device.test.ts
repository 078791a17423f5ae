import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { openDevice } from "../../engine/gpu/device.ts";
import { readTensor, release, residentTensor } from "../../engine/gpu/transfer.ts";
import { openGpu } from "../../runners/openGpu.ts";
import { testDevice } from "../support/gpu.ts";

describe("openDevice", () => {
	it("reports what the adapter can do", async () => {
		const { report } = await testDevice();
		expect(report.adapter).not.toBe("");
		expect(report.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(1 << 27);
		expect(typeof report.f16).toBe("boolean");
	});

	it("refuses a software adapter unless asked", async () => {
		const device = await testDevice();
		if (!device.report.software) return;
		await expect(openDevice(await openGpu())).rejects.toMatchObject({
			code: "device",
			message: expect.stringMatching(/software/),
			hint: expect.stringMatching(/--adapter/),
		});
	});

	it("says what to do when there is no adapter", async () => {
		const none = { requestAdapter: async () => null } as unknown as GPU;
		await expect(openDevice(none)).rejects.toMatchObject({ code: "device", hint: expect.stringMatching(/Vulkan/) });
	});

	it("survives garbage collection with a pending map", async () => {
		const device = await testDevice();
		setFlagsFromString("--expose-gc");
		const collect = runInNewContext("gc") as () => void;
		for (let round = 0; round < 5; round++) {
			const tensor = residentTensor(device, "x", "f32", [1000], new Float32Array(1000).fill(round));
			const reading = readTensor(device, tensor);
			collect();
			expect((await reading)[999]).toBe(round);
			release(device, tensor.storage);
			collect();
		}
	});

	it("does not keep what was read from it", async () => {
		const device = await testDevice();
		setFlagsFromString("--expose-gc");
		const collect = runInNewContext("gc") as () => void;
		const tensor = residentTensor(device, "x", "f32", [1000]);
		const read: WeakRef<object>[] = [];
		for (let i = 0; i < 3; i++) {
			read.push(new WeakRef((await readTensor(device, tensor)).buffer));
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		collect();
		expect(read.slice(0, 2).map((one) => one.deref())).toEqual([undefined, undefined]);
		release(device, tensor.storage);
	});

	it("counts memory and reports errors with the name of the work", async () => {
		const device = await testDevice();
		const before = device.memory.currentBytes;
		const tensor = residentTensor(device, "x", "f16", [3], Float32Array.of(1, 2, 65504));
		expect(device.memory.currentBytes - before).toBe(8);
		expect([...(await readTensor(device, tensor))]).toEqual([1, 2, 65504]);
		release(device, tensor.storage);
		expect(device.memory.currentBytes).toBe(before);
		await expect(device.guarded("blocks.3/attention", () => device.gpu.createBuffer({ size: 16, usage: 0xffff }))).rejects.toMatchObject({
			message: expect.stringMatching(/^blocks\.3\/attention: /),
		});
		expect(() => device.createBuffer("huge", 2 ** 60, 128)).toThrow(/huge: a buffer of/);
	});

	it("turns a lost device into an error", async () => {
		const device = await openDevice(await openGpu(), { allowSoftware: true });
		const tensor = residentTensor(device, "x", "f32", [4]);
		device.close();
		await device.gpu.lost;
		await expect(readTensor(device, tensor)).rejects.toMatchObject({ code: "device", message: expect.stringMatching(/lost/) });
	});
});

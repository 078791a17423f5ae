import { describe, expect, it } from "vitest";
import { compileAhead } from "../../engine/gpu/compileAhead.ts";
import { type Device, openDevice } from "../../engine/gpu/device.ts";
import { compileKernel, type KernelVariant, variantKey } from "../../engine/gpu/kernel.ts";
import { openGpu } from "../../runners/openGpu.ts";
import { testDevice } from "../support/gpu.ts";

/** Kernels in the order of their use; the one with the longest text is the fifth. */
const variants: readonly KernelVariant[] = [
	...[64, 128, 256].map((workgroupSize) => ({ shader: "dense/activation", overrides: { workgroupSize } })),
	{ shader: "dense/permute", overrides: { rank: 2 } },
	{ shader: "dense/matmul" },
	...[64, 128, 256].map((workgroupSize) => ({ shader: "dense/addRow", overrides: { workgroupSize } })),
];
const names = variants.map(variantKey);

/** A driver that takes `compileMs` for a kernel that it does not know yet, on two threads a device as Dawn has them. */
function slowDriver({ compileMs, shares = true, helpers = 0, refuses = false }: DriverOptions) {
	const known = new Set<string>();
	/** What was compiled and not only given, in order. */
	const compiled: { readonly on: number; readonly name: string }[] = [];
	/** What the device itself was asked for, in order. */
	const asked: string[] = [];
	const open: number[] = [];
	let opened = 0;
	const make = (count: number): Device => {
		const on = opened++;
		open.push(on);
		const threads: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
		let requests = 0;
		const create = async (name: string) => {
			const key = shares ? name : `${on} ${name}`;
			if (!known.has(key)) {
				compiled.push({ on, name });
				await new Promise((resolve) => setTimeout(resolve, compileMs));
				known.add(key);
			}
			return {};
		};
		const gpu = {
			pushErrorScope() {},
			popErrorScope: async () => null,
			createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
			createBindGroupLayout: () => ({}),
			createPipelineLayout: () => ({}),
			createComputePipelineAsync({ label }: { label: string }) {
				if (on === 0) asked.push(label);
				const thread = requests++ % 2;
				const made = threads[thread].then(() => create(label));
				threads[thread] = made;
				return made;
			},
		};
		return {
			gpu,
			report: { f16: false, subgroups: false, subgroupMatrixShapes: [] },
			helpers: count === 0 ? undefined : { count, open: refuses ? () => Promise.reject(new Error("no memory")) : async () => make(0) },
			close: () => void open.splice(open.indexOf(on), 1),
		} as unknown as Device;
	};
	return { device: make(helpers), compiled, asked, open, opened: () => opened };
}

interface DriverOptions {
	readonly compileMs: number;
	/** Gives one device what it has compiled for another. */
	readonly shares?: boolean;
	readonly helpers?: number;
	/** Opens no helper. */
	readonly refuses?: boolean;
}

const all = (device: Device) => Promise.all(variants.map((variant) => compileKernel(device, variant)));

describe("kernels that are compiled ahead", () => {
	it("are requested once each, in the order of their use, and nobody else's a second time", async () => {
		const { device, asked, compiled } = slowDriver({ compileMs: 1 });
		const own = compileKernel(device, variants[3]);
		await compileAhead(device, [...variants, ...variants]);
		await all(device);
		expect(asked).toEqual([names[3], ...names.filter((_, index) => index !== 3)]);
		expect(compiled.length).toBe(variants.length);
		expect(await own).toBe(await compileKernel(device, variants[3]));
	});

	it("stay on the device where the driver has them in its cache", async () => {
		const { device, asked, opened } = slowDriver({ compileMs: 1, helpers: 3 });
		await compileAhead(device, variants);
		await all(device);
		// The longest shows how fast the driver is.
		expect(asked).toEqual([names[4], ...names.filter((_, index) => index !== 4)]);
		expect(opened()).toBe(1);
	});

	it("are compiled by helpers where the driver is slow, none twice, which are closed then", async () => {
		const { device, asked, compiled, open, opened } = slowDriver({ compileMs: 400, helpers: 2 });
		await compileAhead(device, variants);
		expect(opened()).toBe(3);
		// Asked for while a helper is at it.
		await Promise.all([compileKernel(device, variants[0]), all(device)]);
		const order = compiled.map(({ name }) => name);
		expect(order.slice(0, 5)).toEqual([names[4], ...names.slice(0, 4)]);
		expect(order.sort()).toEqual([...names].sort());
		expect(compiled.filter(({ on }) => on === 0).map(({ name }) => name)).toEqual([names[4]]);
		expect(new Set(compiled.map(({ on }) => on)).size).toBe(3);
		expect([...asked].sort()).toEqual([...names].sort());
		await new Promise((resolve) => setTimeout(resolve, 10));
		expect(open).toEqual([0]);
	});

	it("stay on the device where the driver does not share what it compiles", async () => {
		const many = Array.from({ length: 40 }, (_, index) => ({ shader: "dense/activation", overrides: { workgroupSize: index + 1 } }));
		const { device, compiled, open } = slowDriver({ compileMs: 160, helpers: 2, shares: false });
		await compileAhead(device, many);
		await Promise.all(many.map((variant) => compileKernel(device, variant)));
		await new Promise((resolve) => setTimeout(resolve, 10));
		expect(open).toEqual([0]);
		expect(compiled.filter(({ on }) => on > 0).length).toBeLessThan((many.length * 3) / 4);
	});

	it("stay on the device where no helper can be opened", async () => {
		const { device, asked, opened } = slowDriver({ compileMs: 200, helpers: 2, refuses: true });
		await compileAhead(device, variants);
		await all(device);
		expect(opened()).toBe(1);
		expect([...asked].sort()).toEqual([...names].sort());
	});
});

describe("helpers of a device", () => {
	it("compile as it does, name what does not compile, and are closed with it", async () => {
		const { report } = await testDevice();
		const device = await openDevice(await openGpu(), { allowSoftware: true, helpers: 1 });
		const helper = await device.helpers?.open();
		if (helper === undefined) throw new Error("no helper");
		expect(helper.report).toEqual(report);
		expect(helper.helpers).toBeUndefined();
		const variant = variants[variants.length - 1];
		const kernel = await compileKernel(device, variant, () => compileKernel(helper, variant));
		expect(kernel.pipeline.label).toBe(variantKey(variant));
		const broken = { shader: "dense/addRow", overrides: { noSuchConstant: 1 } };
		const failed = compileKernel(device, broken, () => compileKernel(helper, broken));
		await expect(failed).rejects.toMatchObject({ code: "device", message: expect.stringContaining("dense/addRow") });
		device.close();
		expect((await helper.gpu.lost).reason).toBe("destroyed");
	});
});

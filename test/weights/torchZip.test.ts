import { readFileSync } from "node:fs";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { memoryByteSource } from "../../weights/byteSource.ts";
import type { StoredTensor } from "../../weights/source.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { openTorchCheckpoint, readTorchTensor } from "../../weights/torchZip.ts";
import { torchTensorBytes, writeTorchCheckpoint } from "../../weights/writeTorchZip.ts";
import { expectDamaged, expectToSurviveDamage } from "../support/hostile.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/torch/${name}`, import.meta.url));
const open = (bytes: Uint8Array) => openTorchCheckpoint(memoryByteSource("made.file", bytes));

async function written(tensors: ReadonlyMap<string, StoredTensor>): Promise<Uint8Array> {
	const descriptions = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
	const chunks: Uint8Array[] = [];
	for await (const chunk of writeTorchCheckpoint("made", descriptions, ({ name }) => tensors.get(name)?.bytes ?? new Uint8Array(0)))
		chunks.push(chunk);
	return new Uint8Array(Buffer.concat(chunks));
}

const counting = Array.from({ length: 24 }, (_, i) => i);

describe("files that PyTorch wrote", () => {
	test("the state dict of a module, with its attribute _metadata", async () => {
		const source = await open(fixture("module.pth"));
		expect([...(source.entries ?? [])].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`)).toEqual([
			"0.weight F32 [2,3]",
			"0.bias F32 [2]",
			"1.weight F32 [2]",
			"1.bias F32 [2]",
			"1.running_mean F32 [2]",
			"1.running_var F32 [2]",
			"1.num_batches_tracked I64 []",
		]);
		expect([...toFloat32(await source.read("0.weight", [2, 3]))]).toEqual([0, 0.125, 0.25, 0.375, 0.5, 0.625]);
		expect([...toFloat32(await source.read("0.bias", [2]))]).toEqual([0.5, -0.5]);
	});

	test.each<[string, readonly number[], readonly number[]]>([
		["permuted", [4, 2, 3], [0, 1, 2, 3].flatMap((k) => [0, 1, 2, 3, 4, 5].map((row) => row * 4 + k))],
		["row", [3, 4], counting.slice(12)],
		["column", [2, 3], [1, 5, 9, 13, 17, 21]],
		["scalar", [], [3.5]],
		["half", [2, 3, 4], counting],
		["bfloat", [2, 3, 4], counting],
		["i64", [3], [0, 1, 2]],
		["i32", [3], [0, 1, 2]],
		["i16", [3], [0, 1, 2]],
		["i8", [3], [0, 1, 2]],
		["u8", [3], [0, 1, 2]],
		["bool", [2], [1, 0]],
		["empty", [0, 4], []],
		["parameter", [2, 2], [1, 1, 1, 1]],
	])("views and element types: %s", async (name, shape, values) => {
		const source = await open(fixture("views.pth"));
		expect([...toFloat32(await source.read(name, shape))]).toEqual(values);
	});

	test("pickle protocol 4, and a bare tensor", async () => {
		expect([...toFloat32(await (await open(fixture("protocol4.pth"))).read("x", [2]))]).toEqual([1, 1]);
		const tensor = await readTorchTensor(memoryByteSource("made.file", fixture("tensor.pt")));
		expect([tensor.dtype, tensor.shape, [...toFloat32(tensor)]]).toEqual(["F16", [2, 3, 4], counting]);
	});

	test.each<[string, RegExp]>([
		["call.pth", /asks for "posix.system"/],
		["object.pth", /asks for "torch.nn.modules.container.Sequential"/],
		["complex.pth", /asks for "torch.ComplexFloatStorage"/],
		["expanded.pth", /expanded view \(\[3,2\], strides \[0,1\]\)/],
		["nested.pth", /entry "model" of the dict is a dict/],
		["tensor.pt", /holds a tensor, not a state dict/],
		["legacy.pth", /before 1.6/],
	])("refuses %s by name", async (name, problem) => {
		await expectDamaged(() => open(fixture(name)), problem);
	});

	test("wrong names and shapes, a dict where a tensor is wanted", async () => {
		const source = await open(fixture("module.pth"));
		await expectDamaged(() => source.read("0.weight", [3, 2]), /must be \[3, 2\], got \[2, 3\]/);
		await expectDamaged(() => source.read("2.weight", [3, 2]), /has no tensor "2.weight"/);
		await expectDamaged(() => readTorchTensor(memoryByteSource("made.file", fixture("module.pth"))), /holds a dict, not a tensor/);
	});

	test("survive damage", async () => {
		await expectToSurviveDamage(fixture("views.pth"), async (source) => {
			const opened = await openTorchCheckpoint(source);
			for (const [name, { shape }] of opened.entries ?? []) await opened.read(name, shape);
		});
		await expectToSurviveDamage(fixture("tensor.pt"), readTorchTensor);
	});
});

describe("files that we write", () => {
	test("come back, aligned to 64 bytes", async () => {
		const tensors = new Map<string, StoredTensor>([
			["a.weight", storedFromFloat32(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])],
			["a.half", storedFromFloat32(Float32Array.of(-1, 0.5), [2], "F16")],
			["brain", { dtype: "BF16", shape: [1], bytes: Uint8Array.of(0x80, 0x3f) }],
			["count", { dtype: "I64", shape: [], bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) }],
			["none", { dtype: "F32", shape: [0, 3], bytes: new Uint8Array(0) }],
			["ü", { dtype: "BOOL", shape: [2], bytes: Uint8Array.of(1, 0) }],
		]);
		const file = await written(tensors);
		const source = await open(file);
		expect([...(source.entries?.keys() ?? [])]).toEqual([...tensors.keys()]);
		for (const [name, { dtype, shape, bytes }] of tensors) {
			const read = await source.read(name, shape);
			expect([read.dtype, [...read.bytes]]).toEqual([dtype, [...bytes]]);
			if (bytes.length > 0) expect(read.bytes.byteOffset % 64).toBe(0);
		}
		expect(await written(tensors)).toEqual(file);
	});

	test("a bare tensor comes back", async () => {
		const tensor = storedFromFloat32(Float32Array.of(1, -2, 3), [1, 3], "F16");
		const read = await readTorchTensor(memoryByteSource("made.file", torchTensorBytes("embeds", tensor)));
		expect([read.dtype, read.shape, [...read.bytes]]).toEqual([tensor.dtype, tensor.shape, [...tensor.bytes]]);
	});

	test("wrong sizes are the caller's error", async () => {
		await expect(written(new Map([["a", { dtype: "F32", shape: [2], bytes: new Uint8Array(4) }]]))).rejects.toThrow(RangeError);
	});
});

describe("archives that are no state dict", () => {
	const text = (content: string) => new TextEncoder().encode(content);
	const emptyDict = Uint8Array.of(0x80, 2, 0x7d, 0x2e);
	const zip = (files: Record<string, Uint8Array>) => zipSync(files, { level: 0 });

	test.each<[string, Uint8Array, RegExp]>([
		["no data.pkl", zip({ "a/b.txt": text("x") }), /0 entries NAME\/data.pkl/],
		["two of them", zip({ "a/data.pkl": emptyDict, "b/data.pkl": emptyDict }), /2 entries NAME\/data.pkl/],
		["a TorchScript program", zip({ "a/data.pkl": emptyDict, "a/constants.pkl": emptyDict }), /TorchScript/],
		["big-endian data", zip({ "a/data.pkl": emptyDict, "a/byteorder": text("big") }), /byte order "big"/],
		["an empty file", new Uint8Array(0), /0 bytes/],
	])("refuses %s", async (_, bytes, problem) => {
		await expectDamaged(() => open(bytes), problem);
	});

	test("storages that are missing, short or compressed", async () => {
		const source = memoryByteSource("made.file", await written(new Map([["a", storedFromFloat32(new Float32Array(100), [100])]])));
		const { openZip } = await import("../../weights/zip.ts");
		const archive = await openZip(source);
		const pickle = archive.entries.get("made/data.pkl");
		if (pickle === undefined) throw new Error("no pickle");
		const files = { "made/data.pkl": await archive.read(pickle, 1e6) };
		await expectDamaged(() => open(zip(files)), /storage "made\/data\/0" is missing/);
		await expectDamaged(() => open(zip({ ...files, "made/data/0": new Uint8Array(396) })), /has 396 bytes, its 100 elements need 400/);
		await expectDamaged(() => open(zip({ ...files, "made/data/0": new Uint8Array(404) })), /has 404 bytes/);
		await expectDamaged(() => open(zipSync({ ...files, "made/data/0": new Uint8Array(400) }, { level: 6 })), /is compressed/);
	});
});

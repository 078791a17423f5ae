import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { openSafetensors, openShardedSafetensors, readAllSafetensors } from "../../weights/safetensors.ts";
import type { StoredDType, StoredTensor } from "../../weights/source.ts";
import { storedElementBytes, toFloat32 } from "../../weights/storedTensor.ts";
import { writeSafetensors } from "../../weights/writeSafetensors.ts";
import { expectDamaged, expectToSurviveDamage, memoryFolder } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const dtypes: readonly StoredDType[] = ["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"];

/** A file from a header as text, so that it can be anything, and data bytes. */
function rawFile(header: string, dataBytes: number, headerLength?: bigint): Uint8Array {
	const text = new TextEncoder().encode(header);
	const file = new Uint8Array(8 + text.length + dataBytes);
	new DataView(file.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
	file.set(text, 8);
	return file;
}

const open = (file: Uint8Array) => openSafetensors(memoryByteSource("made.file", file));
const f32 = (begin: number, end: number, shape: readonly number[] = [(end - begin) / 4]) => ({
	dtype: "F32",
	shape,
	data_offsets: [begin, end],
});

describe("safetensors", () => {
	async function written(
		made: ReadonlyMap<string, StoredTensor>,
		metadata?: Record<string, string>,
		onAsked: (name: string) => unknown = () => {},
	) {
		const chunks: Uint8Array[] = [];
		const descriptions = [...made].map(([key, { dtype, shape }]) => ({ name: key, dtype, shape }));
		const bytesOf = (description: { readonly name: string }) => {
			onAsked(description.name);
			return made.get(description.name)?.bytes ?? new Uint8Array(0);
		};
		for await (const chunk of writeSafetensors(descriptions, bytesOf, metadata)) chunks.push(chunk);
		return new Uint8Array(Buffer.concat(chunks));
	}

	const tensor = fc
		.tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
		.chain(([dtype, shape]) => {
			const length = shape.reduce((count, extent) => count * extent, 1) * storedElementBytes(dtype);
			return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes): StoredTensor => ({ dtype, shape, bytes }));
		});
	const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text !== "__metadata__");
	const tensors = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 8 }).map((list) => new Map(list));

	test("what is written comes back, in every element type, whole and tensor by tensor", async () => {
		await fc.assert(
			fc.asyncProperty(tensors, async (made) => {
				const file = await written(made, { format: "pt" });
				const all = await readAllSafetensors(file);
				expect(new Map([...all].sort())).toEqual(new Map([...made].sort()));
				const source = await open(file);
				for (const [key, { dtype, shape, bytes }] of made) {
					const read = await source.read(key, shape);
					expect([read.dtype, read.shape, [...read.bytes]]).toEqual([dtype, shape, [...bytes]]);
				}
			}),
			{ numRuns: 100 },
		);
	});

	test("the stream is the file, and makes each tensor when its turn comes", async () => {
		const made = new Map([
			["b.half", storedFromFloat32(Float32Array.of(1, 2, 3), [3], "F16")],
			["a", storedFromFloat32(Float32Array.of(1, -2), [2, 1])],
		]);
		const asked: string[] = [];
		expect(await written(made, undefined, (key) => asked.push(key))).toEqual(safetensorsBytes(made));
		expect(asked).toEqual(["a", "b.half"]);
	});

	test("unaligned data can be viewed", async () => {
		const header = JSON.stringify({ u: { dtype: "U8", shape: [1], data_offsets: [0, 1] }, f: f32(1, 9) });
		const file = rawFile(header, 9);
		new DataView(file.buffer).setFloat32(file.length - 8, 1.5, true);
		new DataView(file.buffer).setFloat32(file.length - 4, -2, true);
		expect([...toFloat32(await (await open(file)).read("f", [2]))]).toEqual([1.5, -2]);
		const copied = (await readAllSafetensors(file)).get("f") as StoredTensor;
		expect([...new Float32Array(copied.bytes.buffer, copied.bytes.byteOffset, 2)]).toEqual([1.5, -2]);
	});

	test("a shape other than the caller's, or a name that is not there, is an error", async () => {
		const source = await open(rawFile(JSON.stringify({ w: f32(0, 8) }), 8));
		await expectDamaged(() => source.read("w", [1, 2]), /tensor "w" must be \[1, 2\], got \[2\]/);
		await expectDamaged(() => source.read("v", [2]), /has no tensor "v"/);
	});

	test.each<[string, Uint8Array, RegExp]>([
		["an empty file", new Uint8Array(0), /has 0 bytes/],
		["a header beyond the file", rawFile("{}", 0, 3n), /header should have 3 bytes/],
		["a header of 2^63 bytes", rawFile("{}", 0, 2n ** 63n), /header should have/],
		["a header of 17 MB", rawFile(`{}${" ".repeat(17 * 2 ** 20)}`, 0), /at most 16777216/],
		["no object", rawFile("[]", 0), /not a JSON object/],
		["text that is not UTF-8", rawFile("{}", 0).map((byte, at) => (at === 8 ? 0xff : byte)), /not UTF-8/],
		["a duplicate name", rawFile(`{"w":${JSON.stringify(f32(0, 4))},"w":${JSON.stringify(f32(0, 4))}}`, 4), /"w" appears twice/],
		["an overlap", rawFile(JSON.stringify({ a: f32(0, 8), b: f32(4, 12) }), 12), /"b" overlaps/],
		["the same place twice", rawFile(JSON.stringify({ a: f32(0, 8), b: f32(0, 8) }), 8), /overlaps/],
		["a gap", rawFile(JSON.stringify({ a: f32(0, 4), b: f32(8, 12) }), 12), /gap of 4 bytes/],
		["a gap at the start", rawFile(JSON.stringify({ a: f32(4, 8) }), 8), /gap of 4 bytes/],
		["bytes at the end", rawFile(JSON.stringify({ a: f32(0, 4) }), 5), /1 bytes after its last tensor/],
		["offsets beyond the file", rawFile(JSON.stringify({ a: f32(0, 8) }), 4), /ends inside tensor "a"/],
		["a shape that needs more bytes", rawFile(JSON.stringify({ a: f32(0, 8, [3]) }), 8), /12 bytes, but its data_offsets span 8/],
		["a negative extent", rawFile(JSON.stringify({ a: f32(0, 4, [-1, -1]) }), 4), /whole numbers/],
		["a fraction", rawFile(JSON.stringify({ a: f32(0, 4, [0.5, 2]) }), 4), /whole numbers/],
		["a huge shape", rawFile(JSON.stringify({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }), 4), /more than any file holds/],
		["a huge shape with a zero", rawFile(JSON.stringify({ a: f32(0, 4, [2 ** 52, 2 ** 52, 0]) }), 4), /0 bytes, but/],
		["17 axes", rawFile(JSON.stringify({ a: f32(0, 4, new Array(17).fill(1)) }), 4), /17 axes/],
		["negative offsets", rawFile(JSON.stringify({ a: { ...f32(0, 4), data_offsets: [-4, 0] } }), 4), /begin <= end/],
		["offsets in reverse", rawFile(JSON.stringify({ a: { ...f32(0, 4), data_offsets: [4, 0] } }), 4), /begin <= end/],
		["three offsets", rawFile(JSON.stringify({ a: { ...f32(0, 4), data_offsets: [0, 4, 4] } }), 4), /data_offsets/],
		["offsets that are text", rawFile(JSON.stringify({ a: { ...f32(0, 4), data_offsets: ["0", "4"] } }), 4), /list of numbers/],
		["no shape", rawFile(JSON.stringify({ a: { dtype: "F32", data_offsets: [0, 4] } }), 4), /shape must be a list/],
		["an unknown type", rawFile(JSON.stringify({ a: { ...f32(0, 4), dtype: "F8_E4M3" } }), 4), /"F8_E4M3"/],
		["a type of Object.prototype", rawFile(JSON.stringify({ a: { ...f32(0, 4), dtype: "toString" } }), 4), /"toString"/],
		["a tensor that is a number", rawFile('{"a":3}', 0), /not described by an object/],
		["metadata that are no text", rawFile('{"__metadata__":{"a":1}}', 0), /__metadata__/],
	])("refuses %s", async (_, file, problem) => {
		await expectDamaged(() => open(file), problem);
	});

	test("survives damage", async () => {
		const made = new Map([
			[
				"first",
				storedFromFloat32(
					Float32Array.from({ length: 40 }, (_, i) => i),
					[4, 10],
				),
			],
			["second.half", storedFromFloat32(Float32Array.of(1, 2, 3), [3], "F16")],
		]);
		await expectToSurviveDamage(safetensorsBytes(made), async (source) => {
			const opened = await openSafetensors(source);
			for (const [key, { shape }] of opened.entries ?? []) await opened.read(key, shape);
		});
	});
});

describe("sharded safetensors", () => {
	const one = safetensorsBytes(new Map([["a", storedFromFloat32(Float32Array.of(1), [1])]]));
	const two = safetensorsBytes(new Map([["b", storedFromFloat32(Float32Array.of(2, 3), [2])]]));
	const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 12 }, weight_map: map });
	const files = { "vae/m-1.safetensors": one, "vae/m-2.safetensors": two };
	const openWith = (map: unknown) =>
		openShardedSafetensors(memoryFolder("made.file", { ...files, "vae/m.index.json": index(map) }), "vae/m.index.json");

	test("tensors come from the file that the index names", async () => {
		const source = await openWith({ b: "m-2.safetensors", a: "m-1.safetensors" });
		expect([...(source.entries?.keys() ?? [])].sort()).toEqual(["a", "b"]);
		expect([...toFloat32(await source.read("b", [2]))]).toEqual([2, 3]);
		await expectDamaged(() => source.read("c", [2]), /has no tensor "c"/);
		await expectDamaged(() => source.read("b", [3]), /m-2.safetensors: tensor "b" must be \[3\]/);
	});

	test.each<[string, unknown, RegExp]>([
		["a missing file", { a: "m-3.safetensors" }, /m-3.safetensors: is missing; .*index.json names it/],
		["a tensor that is not in its file", { a: "m-1.safetensors", b: "m-1.safetensors" }, /m-1.safetensors: has no tensor "b"/],
		["a tensor that the index does not know", { a: "m-1.safetensors", c: "m-2.safetensors" }, /has no tensor "c"/],
		["a path out of the folder", { a: "../m-1.safetensors" }, /beside the index/],
		["an absolute path", { a: "/m-1.safetensors" }, /beside the index/],
		["a number as file", { a: 7 }, /beside the index/],
		["no map", undefined, /no object "weight_map"/],
	])("refuses %s", async (_, map, problem) => {
		await expectDamaged(() => openWith(map), problem);
	});

	test("refuses a file with tensors that the index leaves out", async () => {
		const more = safetensorsBytes(new Map(["a", "x"].map((key) => [key, storedFromFloat32(Float32Array.of(1), [1])] as const)));
		const folder = memoryFolder("made.file", { "m-1.safetensors": more, "i.json": index({ a: "m-1.safetensors" }) });
		await expectDamaged(() => openShardedSafetensors(folder, "i.json"), /m-1.safetensors: holds the tensor "x"/);
		await expectDamaged(() => openShardedSafetensors(folder, "j.json"), /j.json: is missing/);
	});
});

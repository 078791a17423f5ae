import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { TorchStorage, TorchTensor } from "../../weights/torchGlobals.ts";
import { unpickle } from "../../weights/unpickle.ts";
import { openZip } from "../../weights/zip.ts";
import { expectDamaged, expectToSurviveDamage } from "../support/hostile.ts";

// Instructions by their bytes, as in Lib/pickletools.py.
const ascii = (text: string) => [...new TextEncoder().encode(text)];
const text = (content: string) => [0x8c, content.length, ...ascii(content)];
const global = (module: string, name: string) => [0x63, ...ascii(`${module}\n${name}\n`)];
const integer = (value: number) => [0x4a, value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
const tuple = (...items: readonly number[][]) => [0x28, ...items.flat(), 0x74];
const run = (...code: readonly (number | readonly number[])[]) => unpickle(Uint8Array.from([0x80, 2, ...code.flat()]), "made.file");
const storage = (elements: number, type = "FloatStorage") => [
	...tuple(text("storage"), global("torch", type), text("0"), text("cpu"), integer(elements)),
	0x51,
];
const tensor = (elements: number, offset: number, shape: readonly number[], strides: readonly number[]) => [
	...global("torch._utils", "_rebuild_tensor_v2"),
	...tuple(storage(elements), integer(offset), tuple(...shape.map(integer)), tuple(...strides.map(integer)), [0x89], [0x4e]),
	0x52,
];

describe("unpickle", () => {
	test("makes plain values", () => {
		expect(run(0x4e, 0x2e)).toBe(null);
		expect(run(tuple([0x88], [0x89], [0x4b, 200], [0x4d, 1, 2], integer(-5)), 0x2e)).toEqual([true, false, 200, 513, -5]);
		expect(run(0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x2e)).toBe(1.5);
		expect(run(0x8a, 6, 0, 0, 0, 0, 0, 1, 0x2e)).toBe(2 ** 40);
		expect(run(0x8a, 1, 0xff, 0x2e)).toBe(-1);
		expect(run(0x8a, 0, 0x2e)).toBe(0);
		expect(run(0x5d, 0x28, text("a"), 0x4e, 0x65, 0x4b, 1, 0x61, 0x2e)).toEqual(["a", null, 1]);
		expect(run(0x7d, 0x28, text("k"), 0x4b, 1, 0x75, text("l"), 0x4b, 2, 0x73, 0x2e)).toEqual(
			new Map([
				["k", 1],
				["l", 2],
			]),
		);
		expect(run(global("collections", "OrderedDict"), 0x29, 0x52, 0x7d, 0x62, 0x2e)).toEqual(new Map());
	});

	test("remembers and recalls", () => {
		expect(run(text("x"), 0x71, 3, 0x30, 0x68, 3, 0x68, 3, 0x86, 0x2e)).toEqual(["x", "x"]);
		expect(run(0x5d, 0x94, 0x68, 0, 0x61, 0x30, 0x68, 0, 0x2e)).toHaveLength(1);
	});

	test("makes tensors, and parameters of them", () => {
		const made = run(tensor(12, 2, [2, 3], [5, 1]), 0x2e);
		expect(made).toEqual(new TorchTensor(new TorchStorage("0", "F32", 12), 2, [2, 3], [5, 1]));
		const parameter = run(global("torch._utils", "_rebuild_parameter"), tuple(tensor(4, 0, [4], [1]), [0x88], [0x4e]), 0x52, 0x2e);
		expect(parameter).toBeInstanceOf(TorchTensor);
	});

	test.each<[string, readonly (number | readonly number[])[], RegExp]>([
		["another global", [global("os", "system"), 0x2e], /asks for "os.system"/],
		["another global by STACK_GLOBAL", [text("builtins"), text("eval"), 0x93, 0x2e], /asks for "builtins.eval"/],
		["a global with numbers for names", [0x4b, 1, 0x4b, 2, 0x93, 0x2e], /whose name is not text/],
		["an endless name", [0x63, ...ascii("a".repeat(2000))], /without an end/],
		["calling a storage type", [global("torch", "FloatStorage"), 0x29, 0x52, 0x2e], /calls "torch.FloatStorage"/],
		["calling a text", [text("x"), 0x29, 0x52, 0x2e], /calls what cannot be called/],
		["bytes", [0x43, 1, 0, 0x2e], /holds bytes/],
		["an instruction that is not known", [0x81, 0x2e], /instruction 0x81/],
		["protocol 0", [0x80, 0, 0x2e], /protocol 0/],
		["no end", [0x4e], /ends inside an instruction/],
		["a text beyond the end", [0x58, 255, 255, 255, 127, 65], /ends inside an instruction/],
		["a text of 2^63 bytes", [0x8d, 0, 0, 0, 0, 0, 0, 0, 128], /ends inside an instruction/],
		["text that is not UTF-8", [0x8c, 1, 0xff, 0x2e], /not UTF-8/],
		["a long number", [0x8a, 9, ...new Array(9).fill(1), 0x2e], /9 bytes/],
		["an empty stack", [0x2e], /not there/],
		["taking below a mark", [0x4e, 0x28, 0x61, 0x2e], /not there/],
		["closing nothing", [0x74, 0x2e], /has not opened/],
		["recalling nothing", [0x68, 7, 0x2e], /recalls value 7/],
		["values left over", [0x4e, 0x4e, 0x2e], /left over/],
		["a mark left over", [0x28, 0x4e, 0x2e], /left over/],
		["appending to a tuple", [0x29, 0x4e, 0x61, 0x2e], /not a list/],
		["an odd number of items", [0x7d, 0x28, 0x4e, 0x75, 0x2e], /not a dict/],
		["a key twice", [0x7d, text("k"), 0x4e, 0x73, text("k"), 0x4e, 0x73, 0x2e], /"k" appears twice/],
		["a list as key", [0x7d, 0x5d, 0x4e, 0x73, 0x2e], /not text or numbers/],
		["attributes of a list", [0x5d, 0x7d, 0x62, 0x2e], /attributes/],
		["marks without end", [new Array(2000).fill(0x28)], /nests more than 1000/],
		[
			"a storage beyond the archive's folder",
			[tuple(text("storage"), global("torch", "FloatStorage"), text("../x"), text("cpu"), integer(1)), 0x51],
			/storage/,
		],
		["a storage of -1 elements", [storage(-1), 0x2e], /storage/],
		["an offset beyond the storage", [tensor(6, 1, [2, 3], [3, 1]), 0x2e], /reaches element 6 of 6/],
		["strides beyond the storage", [tensor(6, 0, [2, 3], [4, 1]), 0x2e], /reaches element 6 of 6/],
		["a negative stride", [tensor(6, 5, [6], [-1]), 0x2e], /not known/],
		["more strides than axes", [tensor(6, 0, [6], [1, 1]), 0x2e], /not known/],
		["an expanded view", [tensor(6, 0, [1000, 6], [0, 1]), 0x2e], /expanded view/],
		["an expanded view of 2^62 elements", [tensor(6, 0, [2 ** 31 - 1, 2 ** 31 - 1], [0, 0]), 0x2e], /more than any file holds/],
		["an old OrderedDict", [global("collections", "OrderedDict"), tuple([0x5d]), 0x52, 0x2e], /old way/],
		["a parameter of a list", [global("torch._utils", "_rebuild_parameter"), tuple([0x5d]), 0x52, 0x2e], /not a tensor/],
	])("refuses %s", async (_, code, problem) => {
		await expectDamaged(() => run(...code), problem);
	});

	test("lists nested without end neither crash nor hang", () => {
		const depth = 200_000;
		const code = [...new Array(depth).fill(0x5d), ...new Array(depth - 1).fill(0x61), 0x2e];
		expect(Array.isArray(run(code))).toBe(true);
	});

	test("random instructions give a value or the error", () => {
		const opcode = fc.constantFrom(
			...[40, 41, 48, 49, 71, 74, 75, 77, 78, 81, 82, 88, 93, 97, 98, 99, 101, 104, 113, 115, 116, 117, 125, 133, 134, 135],
		);
		const piece = fc.oneof(
			opcode.map((code) => [code]),
			fc.constantFrom(
				text("storage"),
				global("torch", "FloatStorage"),
				global("torch._utils", "_rebuild_tensor_v2"),
				storage(4),
				integer(3),
			),
			fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 3 }),
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
				try {
					run(...pieces, 0x2e);
				} catch (error) {
					return error instanceof SyncHumanError;
				}
			}),
			{ numRuns: 3000 },
		);
	});

	test("the pickle of a state dict survives damage", async () => {
		const file = readFileSync(new URL("../fixtures/torch/views.pth", import.meta.url));
		const archive = await openZip(memoryByteSource("views.pth", file));
		const entry = archive.entries.get("views/data.pkl");
		if (entry === undefined) throw new Error("no pickle");
		await expectToSurviveDamage(await archive.read(entry, 1e5), async (source) =>
			unpickle(await source.read(0, source.byteLength), source.name),
		);
	});
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NpyDType, npyArray, npyElements, npyToFloat32, readNpy, writeNpy } from "../../weights/npy.ts";
import { expectDamaged, expectToSurviveDamage } from "../support/hostile.ts";

const dtypes: readonly NpyDType[] = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"];

/** A file from a header as text. */
function rawFile(header: string, data: Uint8Array | readonly number[], version = 1): Uint8Array {
	const text = new TextEncoder().encode(header);
	const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, (text.length >> 8) & 255, 0, 0];
	return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...data]);
}

const header = (descr: string, shape: string, fortran = "False") =>
	`{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

describe("npy", () => {
	test("what is written comes back, in every element type and shape", () => {
		const array = fc
			.tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }))
			.chain(([dtype, shape]) => {
				const length = shape.reduce((count, extent) => count * extent, 1) * Number(dtype[1]);
				return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ dtype, shape, bytes }));
			});
		fc.assert(
			fc.property(array, (made) => {
				const file = writeNpy(made);
				expect((file.length - made.bytes.length) % 64).toBe(0);
				expect(readNpy(file, "made.file")).toEqual(made);
			}),
			{ numRuns: 200 },
		);
	});

	test("Fortran order becomes C order", () => {
		const column = [0, 3, 1, 4, 2, 5].flatMap((value) => [value, 0, 0, 0]);
		const read = readNpy(rawFile(header("'<i4'", "(2, 3)", "True"), column), "made.file");
		expect([...npyElements(read)]).toEqual([0, 1, 2, 3, 4, 5]);
		const cube = readNpy(rawFile(header("'|u1'", "(2, 2, 2)", "True"), [0, 4, 2, 6, 1, 5, 3, 7]), "made.file");
		expect([...cube.bytes]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
	});

	test("big-endian numbers, versions 2 and 3, any order of keys and any quotes", () => {
		expect([...npyElements(readNpy(rawFile(header("'>i2'", "(2,)"), [1, 0, 0, 2]), "made.file"))]).toEqual([256, 2]);
		for (const version of [2, 3]) {
			expect(readNpy(rawFile(header("'|b1'", "()"), [1], version), "made.file")).toEqual({
				dtype: "b1",
				shape: [],
				bytes: Uint8Array.of(1),
			});
		}
		const other = `{"shape": (1,), "descr": "<u2", "fortran_order": False}`;
		expect(readNpy(rawFile(other, [7, 1]), "made.file")).toEqual({ dtype: "u2", shape: [1], bytes: Uint8Array.of(7, 1) });
	});

	test("elements as numbers", () => {
		expect([...npyToFloat32(npyArray("f2", [2], Uint16Array.of(0x3c00, 0xc000)))]).toEqual([1, -2]);
		expect([...npyToFloat32(npyArray("i8", [1], BigInt64Array.of(-5n)))]).toEqual([-5]);
		expect([...npyToFloat32(npyArray("f8", [1], Float64Array.of(0.5)))]).toEqual([0.5]);
		expect(() => npyArray("f4", [1], new Float64Array(1))).toThrow(RangeError);
		expect(() => writeNpy(npyArray("f4", [2], new Float32Array(1)))).toThrow(RangeError);
	});

	test.each<[string, Uint8Array, RegExp]>([
		["text", new TextEncoder().encode("hello world"), /not a .npy file/],
		["version 4", rawFile(header("'<f4'", "()"), [0, 0, 0, 0], 4), /version 4/],
		["a header beyond the end", rawFile(header("'<f4'", "()"), []).slice(0, 40), /ends inside the header/],
		["a header of 2^32 bytes", Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255]), /at most 65536/],
		["objects", rawFile(header("'|O'", "(1,)"), []), /'\|O'/],
		["records", rawFile(header("[('a', '<f4')]", "(1,)"), [0, 0, 0, 0]), /holds elements of type/],
		["complex numbers", rawFile(header("'<c8'", "(1,)"), new Uint8Array(8)), /'<c8'/],
		["no shape", rawFile("{'descr': '<f4', 'fortran_order': False}", []), /not understood/],
		["a key twice", rawFile("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", []), /not understood/],
		["a key too many", rawFile("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': True}", []), /not understood/],
		["code", rawFile("{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}", []), /not understood/],
		["a negative extent", rawFile(header("'<f4'", "(-1,)"), []), /not understood/],
		["a huge shape", rawFile(header("'<f4'", "(9007199254740991, 2)"), []), /more than any file/],
		["a shape of 2^40", rawFile(header("'<f4'", "(1099511627776,)"), []), /should hold 4398046511104 bytes/],
		["too few data", rawFile(header("'<f4'", "(2,)"), [0, 0, 0, 0]), /should hold 8 bytes .* holds 4/],
		["too many data", rawFile(header("'<f4'", "(1,)"), new Uint8Array(8)), /should hold 4 bytes/],
		["17 axes", rawFile(header("'|u1'", `(${"1, ".repeat(17)})`), [0]), /17 axes/],
	])("refuses %s", async (_, file, problem) => {
		await expectDamaged(() => readNpy(file, "made.file"), problem);
	});

	test("survives damage", async () => {
		const file = writeNpy(npyArray("f4", [3, 4], new Float32Array(12)));
		await expectToSurviveDamage(file, async (source) => readNpy(await source.read(0, source.byteLength), source.name));
	});
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { npyArray, npyElements, npyToFloat32 } from "../../weights/npy.ts";
import { readNpz, writeNpz } from "../../weights/npz.ts";
import { expectDamaged, expectToSurviveDamage } from "../support/hostile.ts";

const coords = npyArray("f4", [3, 4], Float32Array.of(0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9));
const arrays = new Map([
	["coords", coords],
	["half", npyArray("f2", [2], Uint16Array.of(0x3c00, 0xc000))],
	["count", npyArray("i8", [], BigInt64Array.of(-7n))],
	["none", npyArray("b1", [0, 2], new Uint8Array(0))],
]);
const numpy = ["python3", "/usr/bin/python3"].find((python) => spawnSync(python, ["-c", "import numpy"]).status === 0);

describe("npz", () => {
	test.each([false, true])("what is written comes back, compressed %s, and the same arrays give the same bytes", async (compressed) => {
		const file = writeNpz(arrays, { compressed });
		expect(await readNpz(file)).toEqual(arrays);
		expect(Buffer.from(writeNpz(arrays, { compressed })).equals(file)).toBe(true);
		// The DOS date of 1980-01-01 and the time 00:00, whatever the clock and the time zone say.
		expect([...file.slice(10, 14)]).toEqual([0, 0, 0x21, 0]);
	});

	test.skipIf(numpy === undefined)("numpy reads ours, we read numpy's", async () => {
		const folder = mkdtempSync(join(tmpdir(), "npz-"));
		try {
			for (const compressed of [false, true])
				writeFileSync(join(folder, `ours${compressed ? 1 : 0}.npz`), writeNpz(arrays, { compressed }));
			const script = [
				"import numpy as np",
				"for i in (0, 1):",
				"    z = np.load(f'ours{i}.npz')",
				"    assert z['coords'].dtype == np.float32 and z['coords'].tolist() == [[0, 1, 2, 3], [0, 4, 5, 6], [0, 7, 8, 9]]",
				"    assert z['half'].tolist() == [1, -2] and z['count'] == -7 and z['none'].shape == (0, 2)",
				"a = np.arange(24.0).reshape(2, 3, 4)",
				"np.savez('theirs0.npz', a=np.asfortranarray(a), b=np.arange(5, dtype='>i4'), c=np.float16(1.5))",
				"np.savez_compressed('theirs1.npz', a=a, b=np.arange(5, dtype=np.uint16), c=np.array([True, False]))",
			];
			const result = spawnSync(numpy as string, ["-c", script.join("\n")], { cwd: folder, encoding: "utf8" });
			expect(result.stderr).toBe("");
			for (const [index, third] of [[1.5], [1, 0]].entries()) {
				const theirs = await readNpz(memoryByteSource("theirs", readFileSync(join(folder, `theirs${index}.npz`))));
				const [a, b, c] = ["a", "b", "c"].map((name) => theirs.get(name) ?? coords);
				expect([...npyElements(a)]).toEqual(Array.from({ length: 24 }, (_, i) => i));
				expect([[...npyToFloat32(b)], [...npyToFloat32(c)]]).toEqual([[0, 1, 2, 3, 4], third]);
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	test("refuses what is not an array", async () => {
		await expectDamaged(
			() => readNpz(memoryByteSource("made.file", zipSync({ "a.txt": new Uint8Array(3) }))),
			/"a.txt" is not a .npy array/,
		);
		await expectDamaged(
			() => readNpz(memoryByteSource("made.file", zipSync({ "a.npy": new Uint8Array(30) }))),
			/a.npy: is not a .npy file/,
		);
		expect(() => writeNpz(new Map([["../a", coords]]))).toThrow(RangeError);
	});

	test("survives damage", async () => {
		await expectToSurviveDamage(writeNpz(arrays, { compressed: true }), readNpz);
		await expectToSurviveDamage(writeNpz(arrays), readNpz);
	});
});

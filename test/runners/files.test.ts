import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { directoryFolder, fileByteSource } from "../../runners/files.ts";

const directory = mkdtempSync(join(tmpdir(), "synchuman-files-"));
mkdirSync(join(directory, "inner"));
writeFileSync(
	join(directory, "inner", "data.bin"),
	Uint8Array.from({ length: 1000 }, (_, i) => i),
);
afterAll(() => rmSync(directory, { recursive: true }));

describe("files", () => {
	test("ranges of a file", async () => {
		const source = await fileByteSource(join(directory, "inner", "data.bin"));
		expect(source.byteLength).toBe(1000);
		expect([...(await source.read(254, 4))]).toEqual([254, 255, 0, 1]);
		expect((await source.read(990, 100)).byteLength).toBe(10);
		await expect(fileByteSource(join(directory, "absent"))).rejects.toThrow("absent");
	});

	test("a folder opens what is there and nothing else", async () => {
		const folder = directoryFolder(directory);
		expect((await folder.open("inner/data.bin"))?.byteLength).toBe(1000);
		expect(await folder.open("inner")).toBeUndefined();
		expect(await folder.open("inner/data.bin/deeper")).toBeUndefined();
		expect(await folder.list("")).toEqual(["inner"]);
		expect(await folder.list("absent")).toEqual([]);
	});
});

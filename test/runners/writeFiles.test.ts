import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkFreeSpace, checkWritable, diskError, writeFiles } from "../../runners/writeFiles.ts";
import { failureOf } from "../support/hostile.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);

async function* chunks(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
	for (const part of parts) yield text(part);
}

describe("writeFiles", () => {
	it("makes the folder and writes whole files, streams too", async () => {
		const inner = join(folder, "a", "b");
		await writeFiles(inner, [
			["one", text("1")],
			["two", chunks("2", "", "22")],
		]);
		expect(readdirSync(inner).sort()).toEqual(["one", "two"]);
		expect(readFileSync(join(inner, "two"), "utf8")).toBe("222");
	});

	it("replaces none where one of them fails, and leaves nothing behind", async () => {
		writeFileSync(join(folder, "one"), "old");
		const failing = async function* () {
			yield text("half");
			throw new Error("the network broke");
		};
		await expect(
			writeFiles(folder, [
				["one", text("new")],
				["two", failing()],
			]),
		).rejects.toThrow("the network broke");
		expect(readdirSync(folder)).toEqual(["one"]);
		expect(readFileSync(join(folder, "one"), "utf8")).toBe("old");
	});

	it.skipIf(!existsSync("/proc/self"))("ends where no folder can be made", async () => {
		for (const place of ["/proc/none", "/proc/none/below"]) {
			expect(await failureOf(() => writeFiles(place, []))).toMatchObject({
				code: "disk",
				message: expect.stringMatching(/^\/proc\/none.*: the folder cannot be made, or is gone\.$/),
			});
		}
	});

	it("says what is in the way", async () => {
		writeFileSync(join(folder, "file"), "");
		mkdirSync(join(folder, "taken"));
		expect(await failureOf(() => writeFiles(join(folder, "file"), []))).toMatchObject({
			code: "disk",
			message: `${join(folder, "file")}: is not a folder.`,
		});
		expect(await failureOf(() => writeFiles(join(folder, "file", "below"), []))).toMatchObject({ code: "disk" });
		const taken = await failureOf(() => writeFiles(folder, [["taken", text("x")]]));
		expect(taken).toMatchObject({ code: "disk", message: `${join(folder, "taken")}: a folder is in the place of a file.` });
		expect(readdirSync(folder).sort()).toEqual(["file", "taken"]);
	});

	it("explains the system's errors and leaves others alone", () => {
		const system = (code: string) => Object.assign(new Error(`${code}: something`), { code, syscall: "write" });
		for (const [code, problem] of [
			["ENOSPC", /the disk is full/],
			["EROFS", /read-only/],
			["EACCES", /no permission to write/],
			["EOTHER", /EOTHER: something/],
		] as const) {
			expect(diskError("out/x", system(code))).toMatchObject({
				code: "disk",
				message: expect.stringMatching(problem),
				hint: expect.stringMatching(/\w/),
			});
		}
		const bug = new TypeError("a bug");
		expect(diskError("out/x", bug)).toBe(bug);
	});

	it("leaves no half file on a full disk", async ({ skip }) => {
		const disk = join(folder, "disk");
		mkdirSync(disk);
		if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).status !== 0) skip("mounting needs rights");
		try {
			await writeFiles(disk, [["kept", text("old")]]);
			const full = await failureOf(() =>
				writeFiles(disk, [
					["kept", text("new")],
					["large", new Uint8Array(2 ** 20)],
				]),
			);
			expect(full).toMatchObject({ code: "disk", message: `${join(disk, "large")}: the disk is full.` });
			expect(readdirSync(disk)).toEqual(["kept"]);
			expect(readFileSync(join(disk, "kept"), "utf8")).toBe("old");
			await expect(checkFreeSpace(join(disk, "not", "yet", "there"), 2 ** 20)).rejects.toMatchObject({
				code: "disk",
				message: expect.stringMatching(/1048576 bytes are needed, the disk has \d+ free/),
			});
		} finally {
			spawnSync("umount", [disk]);
		}
	});
});

describe("checks before a run", () => {
	it("finds a folder that can be written, and makes it", async () => {
		await checkWritable(join(folder, "new"));
		expect(existsSync(join(folder, "new"))).toBe(true);
		expect(readdirSync(join(folder, "new"))).toEqual([]);
		writeFileSync(join(folder, "file"), "");
		await expect(checkWritable(join(folder, "file"))).rejects.toMatchObject({ code: "disk" });
	});

	it("asks the disk for its free bytes, also for a folder that is not there yet", async () => {
		await checkFreeSpace(join(folder, "a", "b"), 1);
		await expect(checkFreeSpace(join(folder, "a"), 2 ** 60)).rejects.toMatchObject({ code: "disk" });
	});
});

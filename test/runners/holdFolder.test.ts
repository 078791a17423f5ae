import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { holdFolder } from "../../runners/holdFolder.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-held-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, ".synchuman.run");
const holding = (host: string, pid: number) => writeFileSync(file(), JSON.stringify({ host, pid }));
const taken = { code: "input", message: expect.stringContaining("another run writes there") };
const done = async () => "done";

it("one run at a time has a folder, and leaves nothing behind", async () => {
	await holdFolder(folder, async () => {
		expect(JSON.parse(readFileSync(file(), "utf8"))).toEqual({ host: hostname(), pid: process.pid });
		await expect(holdFolder(folder, done)).rejects.toMatchObject(taken);
		await expect(holdFolder(relative(".", folder), done)).rejects.toMatchObject(taken);
	});
	const both = await Promise.allSettled([1, 2].map(() => holdFolder(folder, () => new Promise((ended) => setTimeout(ended, 50)))));
	expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
	await expect(holdFolder(folder, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
	expect(await holdFolder(join(folder, "new", "one"), done)).toBe("done");
	expect(readdirSync(folder)).toEqual(["new"]);
});

it("a run that lives, here or elsewhere, keeps others out", async () => {
	for (const [host, pid] of [
		[hostname(), process.ppid],
		[hostname(), 1],
		["elsewhere", 7],
	] as const) {
		holding(host, pid);
		await expect(holdFolder(folder, done), host).rejects.toMatchObject(taken);
		expect(existsSync(file())).toBe(true);
	}
});

it("what a run that was killed left behind keeps nobody out", async () => {
	const dead = spawnSync(process.execPath, ["-e", ""]).pid;
	holding(hostname(), dead);
	expect(await holdFolder(folder, done)).toBe("done");
	holding(hostname(), process.pid);
	expect(await holdFolder(folder, done)).toBe("done");
	writeFileSync(file(), "");
	expect(await holdFolder(folder, done)).toBe("done");
	holding("elsewhere", 7);
	const hourAgo = Date.now() / 1000 - 3600;
	utimesSync(file(), hourAgo, hourAgo);
	expect(await holdFolder(folder, done)).toBe("done");
	expect(readdirSync(folder)).toEqual([]);
});

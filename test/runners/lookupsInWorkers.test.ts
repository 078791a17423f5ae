import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bakeLookups } from "../../engine/mesh/bakeTexture.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";
import { lookupsInWorkers } from "../../runners/lookupsInWorkers.ts";
import { uvSphere } from "../support/uvSphere.ts";

let folder: string;
let worker: URL;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-lookups-"));
	symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
	const outfile = join(folder, "lookupWorker.mjs");
	await build({ entryPoints: ["runners/lookupWorker.ts"], outfile, bundle: true, packages: "external", platform: "node", format: "esm" });
	worker = pathToFileURL(outfile);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("finds the same samples on other threads, with masks and without", async () => {
	const size = 24;
	const mesh = uvSphere();
	const views = bakeViews(6).map(({ view, projection, orthographic }, i) => {
		const channels = i % 2 === 0 ? 3 : 4;
		const color = Uint8Array.from({ length: size * size * channels }, (_, at) => ((at * 7 + i) % 5 === 0 ? 0 : at % 251));
		const mask = channels === 3 ? new Uint8Array(size * size).fill(1, 100) : undefined;
		return { width: size, height: size, color, mask, view, projection, rowsRunWithRaster: orthographic };
	});
	const here = bakeLookups(mesh, 64);
	const expected = views.map((view) => here(view));
	const lookups = lookupsInWorkers(64, { worker, threads: 2 });
	expect(await Promise.all(views.map((view) => lookups.of(mesh, view)))).toEqual(expected);
	const wrong = { ...views[0], color: new Uint8Array(5) };
	await expect(lookups.of(mesh, wrong)).rejects.toThrow(/texture views: textureSamples: colour must be/);
	await lookups.close();
	await expect(lookups.of(mesh, views[0])).rejects.toThrow("a worker ended");
});

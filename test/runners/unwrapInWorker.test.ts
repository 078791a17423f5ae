import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { unwrapInWorker } from "../../runners/unwrapInWorker.ts";
import { ballMesh } from "../support/ballMesh.ts";

const mesh = ballMesh([0, 0, 0], 0.4, 10);
const options = { textureSize: 256, padding: 2 };
let folder: string;
let worker: URL;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-unwrap-"));
	symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
	const outfile = join(folder, "unwrapWorker.mjs");
	await build({ entryPoints: ["runners/unwrapWorker.ts"], outfile, bundle: true, packages: "external", platform: "node", format: "esm" });
	worker = pathToFileURL(outfile);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("unwraps beside this thread, with progress", async () => {
	const parts: string[] = [];
	const unwrapped = await unwrapInWorker(mesh, { ...options, worker, onProgress: (part) => parts.push(part) });
	expect(parts).toEqual(["charts", "packing", "reading"]);
	expect(unwrapped).toEqual(await unwrapMesh(mesh, options));
});

it("passes errors on and stops when told to", async () => {
	const empty = { ...mesh, faces: new Uint32Array(0) };
	await expect(unwrapInWorker(empty, { ...options, worker })).rejects.toMatchObject({
		code: "input",
		message: "unwrap: the mesh has no faces",
	});
	await expect(unwrapInWorker(mesh, { ...options, worker, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
	const stopping = new AbortController();
	const running = unwrapInWorker(mesh, { ...options, worker, signal: stopping.signal, onProgress: () => stopping.abort() });
	await expect(running).rejects.toMatchObject({ code: "aborted" });
	const missing = pathToFileURL(join(folder, "nothing.mjs"));
	await expect(unwrapInWorker(mesh, { ...options, worker: missing })).rejects.toThrow();
});

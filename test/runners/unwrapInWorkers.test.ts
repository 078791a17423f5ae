import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type UnwrappedMesh, unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { unwrapInWorkers } from "../../runners/unwrapInWorkers.ts";
import { ballMesh } from "../support/ballMesh.ts";

const mesh = ballMesh([0, 0, 0], 0.4, 33); // more than one part
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

it("unwraps on other threads, however many, as on this one", async () => {
	const steps: string[] = [];
	const unwrapped = await unwrapInWorkers(mesh, { ...options, worker, onProgress: (done, total) => steps.push(`${done}/${total}`) });
	expect(steps).toEqual(["1/3", "2/3", "3/3"]);
	const same = ({ uvs, faces, sourceVertices }: UnwrappedMesh) =>
		Buffer.from(uvs.buffer).equals(Buffer.from(unwrapped.uvs.buffer)) &&
		Buffer.from(faces.buffer).equals(Buffer.from(unwrapped.faces.buffer)) &&
		Buffer.from(sourceVertices.buffer).equals(Buffer.from(unwrapped.sourceVertices.buffer));
	expect(same(await unwrapMesh(mesh, options))).toBe(true);
	expect(same(await unwrapInWorkers(mesh, { ...options, worker, threads: 1 }))).toBe(true);
});

it("passes errors on and stops when told to", async () => {
	const empty = { ...mesh, faces: new Uint32Array(0) };
	await expect(unwrapInWorkers(empty, { ...options, worker })).rejects.toMatchObject({
		code: "input",
		message: "unwrap: the mesh has no faces",
	});
	await expect(unwrapInWorkers(mesh, { ...options, worker, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
	const stopping = new AbortController();
	const onProgress = () => stopping.abort();
	const running = unwrapInWorkers(mesh, { ...options, worker, threads: 1, signal: stopping.signal, onProgress });
	await expect(running).rejects.toMatchObject({ code: "aborted" });
	const missing = pathToFileURL(join(folder, "nothing.mjs"));
	await expect(unwrapInWorkers(mesh, { ...options, worker: missing })).rejects.toThrow("nothing.mjs");
});

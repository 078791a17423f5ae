import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bakeLookups, findGapsHere } from "../../engine/mesh/bakeTexture.ts";
import type { BakeObservation } from "../../engine/mesh/textureSamples.ts";
import { type UnwrappedMesh, unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";
import type { UnwrapRequest } from "../../engine/stages/finishWork.ts";
import { finishWorkInWorkers } from "../../runners/finishWorkInWorkers.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { uvSphere } from "../support/uvSphere.ts";

const ball = ballMesh([0, 0, 0], 0.4, 33); // more than one part
const request: UnwrapRequest = { textureSize: 256, padding: 2, signal: undefined, report: () => undefined };
let folder: string;
let worker: URL;
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-finish-"));
	symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
	const outfile = join(folder, "finishWorker.mjs");
	await build({ entryPoints: ["runners/finishWorker.ts"], outfile, bundle: true, packages: "external", platform: "node", format: "esm" });
	worker = pathToFileURL(outfile);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("unwraps on other threads, however many, as on this one", async () => {
	const steps: string[] = [];
	const [two, one] = [2, 1].map((threads) => finishWorkInWorkers(256, { worker, threads }));
	const unwrapped = await two.unwrap(ball, { ...request, report: (done, total) => steps.push(`${done}/${total}`) });
	expect(steps).toEqual(["1/3", "2/3", "3/3"]);
	const same = ({ uvs, faces, sourceVertices }: UnwrappedMesh) =>
		Buffer.from(uvs.buffer).equals(Buffer.from(unwrapped.uvs.buffer)) &&
		Buffer.from(faces.buffer).equals(Buffer.from(unwrapped.faces.buffer)) &&
		Buffer.from(sourceVertices.buffer).equals(Buffer.from(unwrapped.sourceVertices.buffer));
	expect(same(await unwrapMesh(ball, { textureSize: 256, padding: 2 }))).toBe(true);
	expect(same(await one.unwrap(ball, request))).toBe(true);
	await Promise.all([two.close(), one.close()]);
});

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
	const work = finishWorkInWorkers(64, { worker, threads: 2 });
	const lookUp = async (view: BakeObservation) => work.lookUp(mesh, await work.seeFaces(mesh, view));
	expect(await Promise.all(views.map(lookUp))).toEqual(expected);
	const wrong = { ...views[0], color: new Uint8Array(5) };
	await expect(lookUp(wrong)).rejects.toThrow(/finishing: textureSamples: colour must be/);
	await work.close();
	await expect(lookUp(views[0])).rejects.toThrow("a worker ended");
});

it("fills the gaps of a texture as this thread does", async () => {
	const size = 64;
	const mesh = uvSphere();
	const picture = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 37) % 251);
	const here = await findGapsHere(mesh, size);
	const work = finishWorkInWorkers(size, { worker, threads: 4 }); // with a rehearsal
	const { uncovered, fill } = await work.findGaps(mesh, size);
	expect(uncovered).toEqual(here.uncovered);
	expect(uncovered.includes(1)).toBe(true);
	expect(await fill(picture)).toEqual(await here.fill(picture));
	await work.close();
});

it("passes errors on and stops when told to", async () => {
	const works = Array.from({ length: 3 }, () => finishWorkInWorkers(256, { worker, threads: 1 }));
	const empty = { ...ball, faces: new Uint32Array(0) };
	await expect(works[0].unwrap(empty, request)).rejects.toMatchObject({ code: "input", message: "unwrap: the mesh has no faces" });
	await expect(works[1].unwrap(ball, { ...request, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
	const stopping = new AbortController();
	const running = works[2].unwrap(ball, { ...request, signal: stopping.signal, report: () => stopping.abort() });
	await expect(running).rejects.toMatchObject({ code: "aborted" });
	const missing = finishWorkInWorkers(256, { worker: pathToFileURL(join(folder, "nothing.mjs")) });
	await expect(missing.unwrap(ball, request)).rejects.toThrow("nothing.mjs");
	await Promise.all([...works, missing].map((work) => work.close()));
});

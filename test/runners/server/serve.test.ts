import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { validateBytes } from "gltf-validator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { samplePerson } from "../../../engine/image/samplePerson.ts";
import { encodePng } from "../../../runners/imageFile.ts";
import { bundle } from "../../support/program.ts";
import { endedJob, personPng, type SeenJob, testServer } from "../../support/testServer.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-serve-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("README's curl lines do what it says", async () => {
	const server = await testServer();
	writeFileSync(join(folder, "photo.png"), await personPng());
	const lines = readFileSync("README.md", "utf8").match(/^curl .*127\.0\.0\.1:8000.*$/gm) ?? [];
	expect(lines.length).toBeGreaterThanOrEqual(6);
	let job: SeenJob | undefined;
	for (const line of lines) {
		const command = line.replace("http://127.0.0.1:8000", server.url).replace("JOB_ID", job?.job_id ?? "");
		const { stdout } = await promisify(execFile)("bash", ["-c", `set -e; ${command.replace("curl", "curl -sS --fail-with-body")}`], {
			cwd: folder,
		});
		if (line.includes("/health")) expect(JSON.parse(stdout)).toMatchObject({ status: "ok" });
		if (line.includes("results.zip")) {
			const names = Object.keys(unzipSync(readFileSync(join(folder, "results.zip"))));
			expect(names).toEqual(expect.arrayContaining(["stage1/color_0.png", "stage2/output.glb", "results_metadata.json"]));
		}
		if (line.includes("stage=stage1 ")) {
			job = await endedJob(server.url, (JSON.parse(stdout) as SeenJob).job_id);
			expect(job).toMatchObject({ status: "done", options: { stage1_steps: 30 } });
		}
		if (line.includes("stage=stage2 ")) expect(readFileSync(join(folder, "output.glb")).toString("latin1", 0, 4)).toBe("glTF");
		if (line.includes("/events")) expect(stdout).toContain("event: job\ndata: {");
		if (line.includes("DELETE")) expect(JSON.parse(stdout)).toEqual({ job_id: job?.job_id, status: "removed" });
	}
	await server.end();
});

it("synchuman serve: a picture to a GLB through every network, with tiny weights", { timeout: 10 * 60_000 }, async () => {
	bundle();
	const argv = ["serve", "--port", "0", "--weights", "synthetic:tiny", "--adapter", "software", "--jobs", join(folder, "jobs"), "--json"];
	const child = spawn(process.execPath, [resolve("dist/cli.js"), ...argv], { stdio: ["ignore", "pipe", "pipe"] });
	try {
		let said = "";
		child.stderr.on("data", (text) => {
			said += text;
		});
		const first = await new Promise<string>((ready, failed) => {
			child.stdout.once("data", (text) => ready(String(text)));
			child.once("exit", (status) => failed(new Error(`ended with ${status}: ${said}`)));
		});
		const { url } = JSON.parse(first) as { url: string };
		const body = new FormData();
		body.set("image", new Blob([(await encodePng(samplePerson())) as Uint8Array<ArrayBuffer>]), "person.png");
		for (const [name, value] of Object.entries({ stage1_steps: "1", stage2_steps: "1", texture_size: "0" })) body.set(name, value);
		const { job_id } = (await (await fetch(`${url}/generate`, { method: "POST", body })).json()) as SeenJob;
		// The server answers while the engine works; every part is seen.
		const events = await (await fetch(`${url}/jobs/${job_id}/events`)).text();
		for (const part of ["diffusion", "latent flow", "mesh decoder"]) expect(events).toContain(`"part":"${part}"`);
		const job = await endedJob(url, job_id);
		expect(job, JSON.stringify(job.error)).toMatchObject({
			status: "done",
			result: { stage1: { status: "done" }, stage2: { status: "done" } },
		});
		const glb = new Uint8Array(await (await fetch(`${url}/jobs/${job_id}/stage2/output.glb`)).arrayBuffer());
		const { issues } = await validateBytes(glb);
		expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0]);
		expect(readdirSync(join(folder, "jobs", job_id)).sort()).toEqual(["job.json", "preview.png", "run.json", "stage1", "stage2"]);
		const ended = new Promise((done) => child.once("exit", done));
		child.kill("SIGTERM");
		expect(await ended, said).toBe(0);
	} finally {
		child.kill("SIGKILL");
	}
});

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { validateBytes } from "gltf-validator";
import { afterAll, beforeAll, expect } from "vitest";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { type CommandEnd, DocumentedShell } from "../support/documentedCommands.ts";
import { documents } from "../support/documents.ts";
import { documentTests } from "../support/documentTests.ts";
import { bundle, synchuman } from "../support/program.ts";

// Every command of README and docs/ that needs no network, GPU or root, as it stands there, one after the other in one folder: with tiny weights on the
// CPU and the fewest steps (test/support/documentedCommands.ts has what is put behind it). A command that several pages have runs once.
// docs/deno.md is test/runners/deno.test.ts's.

let shell: DocumentedShell;
const at = (...names: string[]) => join(shell.folder, ...names);

beforeAll(async () => {
	bundle();
	shell = new DocumentedShell();
	const person = await encodePng(samplePerson());
	writeFileSync(at("photo.png"), person);
	mkdirSync(at("photos"));
	writeFileSync(at("photos", "first.png"), person);
	const made = await synchuman(["synthesize", "tiny", at("ckpts")], { cwd: shell.folder });
	expect(made.status, made.stderr).toBe(0);
});
afterAll(() => shell.close());

/** What holds after a command, beside that it ended well and wrote the files that it names. */
async function check(command: string, { stdout }: CommandEnd): Promise<void> {
	if (/\/health$/.test(command)) expect(JSON.parse(stdout)).toMatchObject({ status: "ok", stage1: true, stage2: true });
	if (/ doctor /.test(command)) expect(stdout).toContain("generate would run");
	if (/results\.zip/.test(command)) {
		const names = Object.keys(unzipSync(readFileSync(at("results.zip"))));
		expect(names).toEqual(expect.arrayContaining(["stage1/color_0.png", "stage2/output.glb", "results_metadata.json"]));
	}
	if (/curl .*output\.glb/.test(command)) {
		const { issues } = await validateBytes(new Uint8Array(readFileSync(at("output.glb"))));
		expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0]);
	}
	if (/\/events$/.test(command)) expect(stdout).toContain("event: job\ndata: {");
	if (/-X DELETE/.test(command)) expect(JSON.parse(stdout).status).toMatch(/^(stopping|cancelled)$/);
	if (/ generate photo\.png -o out\/photo/.test(command) && !existsSync(at("out", "photos"))) {
		// `generate photos --resume` finds it there.
		cpSync(at("out", "photo"), at("out", "photos", "first"), { recursive: true });
	}
}

// What others go on from first.
const order = ["docs/first-model.md", "docs/server.md", "README.md"];
const rest = documents.filter((file) => !order.includes(file) && file !== "docs/deno.md");
for (const file of [...order, ...rest]) documentTests(file, () => shell, check);

import { type ChildProcess, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Document, WebIO } from "@gltf-transform/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { encodePng } from "../../runners/imageFile.ts";
import { writeStageOne } from "../../runners/stageFolders.ts";
import { npyArray } from "../../weights/npy.ts";
import { writeNpz } from "../../weights/npz.ts";
import { hugePng } from "../support/hugePng.ts";
import { bundle, type Start, synchuman } from "../support/program.ts";
import { stageOneResult } from "../support/stageResults.ts";

// Every row of the table of docs/limits.md, through the bundled program. No row needs a network to run, so one small picture and tiny
// weights serve.

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
	bundle();
	folder = mkdtempSync(join(tmpdir(), "synchuman-cli-"));
	writeFileSync(at("person.png"), await encodePng(stageOneResult().input));
	const made = await synchuman(["synthesize", "tiny", at("tiny")], { cwd: folder });
	expect(made.status, made.stderr).toBe(0);
	expect(made.stdout).toBe(`${at("tiny")}\n`);
	await writeStageOne(at("finished", "stage1"), stageOneResult());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `generate` of the small person with tiny weights on the CPU, and what else is given. */
const generate = (...more: string[]) => [
	"generate",
	at("person.png"),
	"-o",
	at("out"),
	"--weights",
	"synthetic:tiny",
	"--adapter",
	"software",
	...more,
];
const withWeights = (weights: string) => ["generate", at("person.png"), "-o", at("out"), "--weights", weights];
const stageTwo = (name: string) => ["generate", "--stage", "2", "-o", at(name), "--weights", "synthetic:tiny", "--adapter", "software"];

const rendering = (file: string, output: string) => ["render", at(file), "-o", at(output), "--adapter", "software"];

/** A .ply of one triangle, rendered. */
function triangle(name: string, corners: readonly string[]): string[] {
	const properties = ["x", "y", "z"].map((axis) => `property float ${axis}`);
	const head = ["ply", "format ascii 1.0", "element vertex 3", ...properties, "element face 1", "property list uchar int vertex_indices"];
	writeFileSync(at(`${name}.ply`), [...head, "end_header", ...corners, "3 0 1 2", ""].join("\n"));
	return rendering(`${name}.ply`, `${name}.png`);
}

/** A picture file of the given bytes. */
function pictured(name: string, bytes: Uint8Array): string[] {
	writeFileSync(at(name), bytes);
	return ["generate", at(name), "-o", at("out"), "--weights", "synthetic:tiny", "--adapter", "software"];
}

const square = (alphaAt: (x: number, y: number) => number) => {
	const image = imageOf(64, 64, 4, new Uint8Array(64 * 64 * 4).fill(200));
	for (let i = 0; i < 64 * 64; i++) image.data[i * 4 + 3] = alphaAt(i % 64, Math.floor(i / 64));
	return encodePng(image);
};

/** No network that removes backgrounds, whatever this machine has. */
const withoutRemover = () => ({ env: { U2NET_HOME: at("nowhere") } });

/** A copy of the mannequin's views in which one thing is wrong. */
function reconstruction(name: string, spoil: (path: (file: string) => string) => void): string[] {
	cpSync("test/fixtures/mannequin", at(name), { recursive: true });
	spoil((file) => at(name, file));
	return ["reconstruct", at(name), "-o", at("out"), "--adapter", "software"];
}

/** A copy of the tiny checkpoint in which one thing is wrong. */
function spoiled(name: string, spoil: (path: (file: string) => string) => void): string[] {
	const copy = at(`weights-${name}`);
	cpSync(at("tiny"), copy, { recursive: true });
	spoil((file) => join(copy, file));
	return withWeights(copy);
}

/** A copy of the finished stage 1 in which one thing is wrong. */
function spoiledStage(name: string, spoil: (path: (file: string) => string) => void): string[] {
	cpSync(at("finished"), at(name), { recursive: true });
	spoil((file) => at(name, "stage1", file));
	return stageTwo(name);
}

const vae = "OneStage/vae/diffusion_pytorch_model.safetensors";
const dinov2 = "dinov2_vitl14_reg4_pretrain.pth";
const pth = (name: string) => readFileSync(resolve("test/fixtures/torch", name));
const edit = (path: string, from: string | RegExp, to: string) => {
	const text = readFileSync(path, "latin1");
	expect(text).toMatch(from);
	writeFileSync(path, text.replace(from, to), "latin1");
};

/** A folder on a disk of 256 KB; undefined where mounting is not allowed. */
let disk: string | undefined;
function smallDisk(): string | undefined {
	if (disk === undefined) {
		mkdirSync(at("disk"), { recursive: true }); // there already where the first try could not mount
		if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", at("disk")]).status !== 0) return undefined;
		disk = at("disk");
	}
	return disk;
}
afterAll(() => {
	if (disk !== undefined) spawnSync("umount", [disk]);
});

type RowStart = readonly [argv: readonly string[], start: Omit<Start, "cwd">];
type Row = () => readonly string[] | RowStart | undefined | Promise<readonly string[] | RowStart>;

/** What the table's "input" is as a command line. */
const rows: Readonly<Record<string, Row>> = {
	"a file that is not PNG, JPEG or WebP": () => pictured("text.png", new TextEncoder().encode("a text")),
	"a picture file that is not there": () => ["generate", at("missing.png"), "-o", at("out")],
	"a picture file that ends too early": async () => pictured("cut.png", (await square(() => 9)).subarray(0, 90)),
	"a side of fewer than 16 pixels": async () => pictured("small.png", await encodePng(imageOf(99, 15, 4, new Uint8Array(99 * 15 * 4)))),
	"more than 178,956,970 pixels, or 32,768 a side": () => pictured("huge.png", hugePng(20_000, 20_000)),
	"no alpha channel, and no u2net": async () => [pictured("rgb.png", await encodePng(stageOneResult().colors[0])), withoutRemover()],
	"nothing transparent, and no u2net": async () => [pictured("opaque.png", await square(() => 255)), withoutRemover()],
	"nothing transparent, with `--background keep`": async () => [...pictured("opaque.png", await square(() => 255)), "--background", "keep"],
	"a u2net.onnx that is none": async () => {
		mkdirSync(at("remover"), { recursive: true });
		writeFileSync(at("remover", "u2net.onnx"), "not found");
		return [pictured("opaque.png", await square(() => 255)), { env: { U2NET_HOME: at("remover") } }];
	},
	"nothing opaque": async () => pictured("empty.png", await square(() => 0)),
	"a person of a few pixels": async () => pictured("dot.png", await square((x, y) => (x === 9 && y === 9 ? 255 : 0))),
	"an option that does not exist": () => generate("--colour"),
	"a value out of its bounds": () => generate("--steps", "0"),
	"no picture": () => ["generate", "-o", at("out")],
	"`info` with a picture": () => ["info", "person.png"],
	"`--stage 2` without a stage1 folder": () => stageTwo("nowhere"),
	"`--stage 2` with a file for its folder": () => ["generate", at("person.png"), "-o", at("out"), "--stage", "2"],
	"a damaged `latent.npz`": () => spoiledStage("damaged", (path) => truncateSync(path("latent.npz"), 150)),
	"coordinates outside 64 x 64 x 64": () =>
		spoiledStage("outside", (path) =>
			writeFileSync(path("latent.npz"), writeNpz(new Map([["coords", npyArray("f4", [1, 4], Float32Array.of(0, 1, 2, 64))]]))),
		),
	"`reconstruct` with a view missing": () => reconstruction("viewless", (path) => rmSync(path("normal_2.png"))),
	"`reconstruct` with views of unequal size": () =>
		reconstruction("unequal", (path) => cpSync(at("finished", "stage1", "normal_2.png"), path("normal_2.png"))),
	"`reconstruct` with a view that shows nobody": async () => {
		const white = await encodePng(imageOf(192, 192, 3, new Uint8Array(192 * 192 * 3).fill(255)));
		return reconstruction("nobody", (path) => writeFileSync(path("normal_2.png"), white));
	},
	"`pshuman` with an override that does not count": () => ["pshuman", at("person.png"), "-o", at("out"), "seeed=1"],
	"`pshuman --view-masks u2net` without the network": () => [
		["pshuman", at("person.png"), "-o", at("out"), "--weights", "synthetic:tiny", "--view-masks", "u2net"],
		withoutRemover(),
	],
	"`pshuman` with a configuration that is no YAML of key and value": () => {
		writeFileSync(at("config.yaml"), "seed: 1\nno value here\n");
		return ["pshuman", at("person.png"), "-o", at("out"), "--config", at("config.yaml")];
	},
	"a view missing in the stage1 folder": () => spoiledStage("viewless", (path) => rmSync(path("color_2.png"))),
	"views of unequal size in the stage1 folder": async () => {
		const small = await encodePng(imageOf(20, 20, 3, new Uint8Array(1200)));
		return spoiledStage("unequal", (path) => writeFileSync(path("normal_2.png"), small));
	},
	"`--queue` that is no URL of Redis": () => ["worker", "--queue", "nothing"],
	"`--queue` where no Redis answers": () => ["serve", "--queue", "redis://127.0.0.1:9", "--jobs", at("jobs")],
	"`render` of a `.glb` without triangles": async () => {
		const document = new Document();
		document.createScene();
		writeFileSync(at("empty.glb"), await new WebIO().writeBinary(document));
		return rendering("empty.glb", "empty.png");
	},
	"`render` of a mesh with a vertex that is NaN": () => triangle("nan", ["0 0 0", "1 nan 0", "0 1 0"]),
	"`render` of a mesh without a visible face": () => triangle("line", ["0 0 0", "0.1 0.1 0", "0.2 0.2 0"]),
	"`render` to `.mp4` without ffmpeg": () => [
		[...rendering("nan.ply", "turn.mp4"), "--views", "turntable"],
		{ env: { PATH: at("nowhere") } },
	],
	"no WebGPU adapter": () => [withWeights("synthetic:tiny"), { env: { VK_DRIVER_FILES: at("no-driver.json") } }],
	"only a software adapter, and not asked for": () => withWeights("synthetic:tiny"),
	"`--adapter` with a name that no adapter has": () => [...withWeights("synthetic:tiny"), "--adapter", "Voodoo 2"],
	"`--max-memory` below what a stage needs": () => generate("--max-memory", "1MB"),
	"a weights folder that is none": () => withWeights(at("finished")),
	"a PSHuman folder that is none": () => [
		...["pshuman", at("person.png"), "-o", at("out"), "--weights", at("finished")],
		...["--adapter", "software"],
	],
	"`synthetic:` and a size that does not exist": () => withWeights("synthetic:huge"),
	"weights of a network missing": () => spoiled("networkless", (path) => rmSync(path(vae))),
	"a stage missing": () => spoiled("stageless", (path) => rmSync(path("SecondStage"), { recursive: true })),
	"a weights file cut short": () => spoiled("short", (path) => truncateSync(path(vae), 30_000)),
	"a cut .pth": () => spoiled("cut", (path) => truncateSync(path(dinov2), 30_000)),
	"a .pth that would run code": () => spoiled("hostile", (path) => writeFileSync(path(dinov2), pth("call.pth"))),
	"a tensor missing, unknown or of another shape": () =>
		spoiled("misfit", (path) => {
			edit(path(vae), '"encoder.conv_in.bias"', '"encoder.conv_in.bass"');
			edit(path(vae), '"shape":[8,3,3,3]', '"shape":[3,8,3,3]');
		}),
	"a config with an impossible value": () =>
		spoiled("configured", (path) => edit(path("SecondStage/ckpts/slat_flow/config.json"), '"num_blocks": 2', '"num_blocks": 0')),
	"a config that is not JSON": () => spoiled("json", (path) => truncateSync(path("OneStage/vae/config.json"), 100)),
	"a file in the place of the output folder": () => ["generate", at("person.png"), "-o", at("person.png"), "--weights", "synthetic:tiny"],
	"two runs into one folder at once": () => {
		mkdirSync(at("held"));
		writeFileSync(join(at("held"), ".synchuman.run"), JSON.stringify({ host: hostname(), pid: process.pid }));
		return ["generate", at("person.png"), "-o", at("held"), "--weights", "synthetic:tiny"];
	},
	"a full disk": () => {
		const place = smallDisk();
		if (place === undefined) return undefined;
		// Fills it: what cannot be written any more is only the rest of this file.
		spawnSync("dd", ["if=/dev/zero", `of=${join(place, "filler")}`, "bs=4k"]);
		return ["generate", at("person.png"), "-o", join(place, "out"), "--weights", "synthetic:tiny"];
	},
	"`download` without a terminal and without `--accept-licences`": () => ["download", "--dir", at("downloaded")],
	"`download` of a file that the hub or a mirror does not have": async () => {
		const server = createServer((_request, response) => void response.writeHead(404).end());
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		server.unref();
		const { port } = server.address() as AddressInfo;
		return ["download", "--dir", at("downloaded"), "--accept-licences", "--only", "DINOv2", "--mirror", `http://127.0.0.1:${port}`];
	},
	"`verify` of a file that is not what the lock records": () => {
		cpSync(at("tiny"), at("recorded"), { recursive: true });
		const { byteLength } = readFileSync(at("recorded", "clr_embeds.pt"));
		const lock = { files: { "clr_embeds.pt": { byteLength, sha256: "0".repeat(64) } } };
		writeFileSync(at("recorded", "synchuman.lock.json"), JSON.stringify(lock));
		return ["verify", at("recorded")];
	},
	"too little space for `synthesize`": () => {
		const place = smallDisk();
		return place === undefined ? undefined : ["synthesize", "full", place];
	},
	"a file size limit (`ulimit -f`)": () => [["synthesize", "tiny", at("limited")], { before: "trap '' XFSZ; ulimit -f 64" }],
	"Ctrl-C or SIGTERM": () => {
		const stop = (child: ChildProcess, text: string) => text.includes('"event":"start"') && child.kill("SIGINT");
		return [[...stageTwo("finished"), "--json"], { onOutput: stop }];
	},
};

/** The rows of a document's table of limits. */
function documented(file = "docs/limits.md"): readonly { input: string; message: string; status: number }[] {
	const text = readFileSync(file, "utf8");
	const table = text.slice(text.indexOf("| input | message | exit status |")).split("\n\n")[0];
	return table
		.split("\n")
		.slice(2)
		.map((line) => {
			const [, input, message, status] = /^\| (.*) \| `(.*)` \| (\d+) \|$/.exec(line) ?? expect.fail(`${file}: ${line}`);
			return { input, message, status: Number(status) };
		});
}

/** A documented message as a pattern: capitals that stand for something, and dots, match anything. */
function pattern(message: string): RegExp {
	const escaped = message
		.replace(/[\\^$*+?()[\]{}|]/g, "\\$&")
		.replaceAll("...", "\0")
		.replaceAll(".", "\\.");
	return new RegExp(`^synchuman: ${escaped.replaceAll("\0", ".*").replace(/\b(FILE|DIR|NAME|PART|N)\b/g, ".+")}$`, "m");
}

describe("limits", () => {
	it("are tested row by row", () => {
		expect(Object.keys(rows)).toEqual(documented().map(({ input }) => input));
		for (const row of documented("README.md")) expect(documented()).toContainEqual(row);
	});

	it.each(documented())("$input: $status", async ({ input, message, status }) => {
		const row = await rows[input]();
		if (row === undefined) return console.warn(`limits: "${input}" is not tested: mounting needs rights`);
		const [argv, start] = Array.isArray(row[0]) ? (row as [string[], Omit<Start, "cwd">]) : [row as string[], {}];
		const ended = await synchuman(argv, { cwd: folder, ...start });
		const own = ended.stderr.split("\n");
		const line = own.findIndex((text) => text.startsWith("synchuman: ") && !text.includes("stopping after this step"));
		expect(own[line], ended.stderr).toMatch(pattern(message));
		// A hint and nothing else follows; that the user stopped it needs none.
		const rest = own.slice(line + 1).filter((text) => text !== "");
		expect(rest.length, ended.stderr).toBe(status === 130 ? 0 : 1);
		for (const hint of rest) expect(hint).toMatch(/^ {2}\S/);
		expect(ended.status).toBe(status);
	});
});

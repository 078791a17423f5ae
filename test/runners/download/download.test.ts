import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { SyncHumanError } from "../../../engine/error.ts";
import { downloadWeights } from "../../../runners/download/download.ts";
import { type Fault, type FaultyServer, faultyServer } from "../../support/faultyServer.ts";
import { disk } from "../../support/fullDisk.ts";
import { hubFiles } from "../../support/hubFiles.ts";
import { bundle, synchuman } from "../../support/program.ts";
import { randomSource } from "../../support/randomSource.ts";

vi.mock("node:fs/promises", async (original) => (await import("../../support/fullDisk.ts")).withFullDisk(await original()));

const repository = "xishushu/SyncHuman";
const sets = ["SyncHuman", "DINOv2", "prompt embeddings"];

const open: { server: FaultyServer | undefined; folder: string | undefined } = { server: undefined, folder: undefined };
afterEach(async () => {
	await open.server?.close();
	if (open.folder !== undefined) rmSync(open.folder, { recursive: true });
	open.server = open.folder = undefined;
	Object.assign(disk, { free: Number.POSITIVE_INFINITY, told: undefined });
});

async function begin(faultOf: (name: string, request: number) => Fault) {
	const files = await hubFiles();
	open.folder = mkdtempSync(join(tmpdir(), "download-"));
	open.server = await faultyServer(files, repository, faultOf);
	const { server, folder } = { server: open.server, folder: open.folder };
	const said: string[] = [];
	const run = (
		options: {
			throughHub?: boolean;
			only?: string[];
			ask?: (question: string) => Promise<boolean>;
			accept?: boolean;
			token?: string;
			signal?: AbortSignal;
		} = {},
	) =>
		downloadWeights(
			{
				folder,
				acceptLicences: options.accept ?? options.ask === undefined,
				parallel: 3,
				hub: server.url,
				mirror: options.throughHub ? undefined : `${server.url}/mirror`,
				only: options.only ?? sets,
			},
			{
				network: { idleMs: options.signal ? 5000 : 150, attempts: 4, firstWaitMs: 1, token: options.token, signal: options.signal },
				ask: options.ask,
				say: (text) => said.push(text),
				onProgress: () => undefined,
			},
		);
	/** Final files with other bytes than the server's. */
	const wrongFiles = () =>
		[...files].flatMap(([name, bytes]) => {
			const path = join(folder, name);
			return existsSync(path) && !readFileSync(path).equals(bytes) ? [name] : [];
		});
	return { files, server, folder, run, said, wrongFiles };
}

describe("download", () => {
	test("gets every set, locks it, and asks nothing of the network where all is there", async () => {
		const { files, server, folder, run, said, wrongFiles } = await begin(() => "none");
		await run();
		expect(wrongFiles()).toEqual([]);
		for (const name of files.keys()) expect(existsSync(join(folder, name))).toBe(name !== "README.md");
		const lock = JSON.parse(readFileSync(join(folder, "synchuman.lock.json"), "utf8"));
		for (const [name, { sha256, byteLength }] of Object.entries(lock.files as Record<string, { sha256: string; byteLength: number }>)) {
			expect(
				createHash("sha256")
					.update(readFileSync(join(folder, name)))
					.digest("hex"),
			).toBe(sha256);
			expect(statSync(join(folder, name)).size).toBe(byteLength);
		}
		expect(said.join("\n")).toMatch(/licence {2}none stated/);
		expect(readdirSync(folder, { recursive: true }).filter((name) => /\.(part|unchecked|second)/.test(String(name)))).toEqual([]);
		const before = server.requests.length;
		await server.close();
		await run();
		expect(server.requests).toHaveLength(before);
		rmSync(join(folder, "clr_embeds.pt"));
		await expect(run()).rejects.toMatchObject({ code: "checkpoint" });
	});

	test("goes on where a cut connection ended, by Range", async () => {
		const large = "OneStage/vae/diffusion_pytorch_model.safetensors";
		let cuts = 0;
		const { server, run, wrongFiles } = await begin((name) => (name === large && cuts++ < 3 ? "cut" : "none"));
		await run();
		expect(wrongFiles()).toEqual([]);
		const ranges = server.requests.filter(({ path }) => path.endsWith(large)).map(({ range }) => range);
		expect(ranges).toEqual([undefined, "bytes=35000-", "bytes=52500-", "bytes=61250-"]);
	});

	test("50 random sequences of faults and full disks: the right bytes or one clear error, never a wrong file", async () => {
		const random = randomSource(99);
		const kinds: readonly Fault[] = ["cut", "wrong", "slow", "429", "500", "redirect", "noRange", "404", "refused"];
		const met = new Set<string>();
		const outcomes = { finished: 0, failed: 0, full: 0 };
		for (let sequence = 0; sequence < 50; sequence++) {
			// Transient faults mostly; every fifth sequence may meet one that does not pass, every fourth a disk that gets full.
			const share = random() * 0.5;
			const usable = sequence % 5 === 0 ? kinds : kinds.slice(0, 7);
			const { folder, run, wrongFiles, files } = await begin(() => {
				const fault = random() < share ? usable[Math.floor(random() * usable.length)] : "none";
				met.add(fault);
				return fault;
			});
			if (sequence % 4 === 1) disk.free = Math.floor(random() * 110_000);
			for (let attempt = 0; attempt < 2; attempt++) {
				try {
					await run();
					outcomes.finished++;
					for (const name of files.keys()) expect(name === "README.md" || existsSync(join(folder, name)), name).toBe(true);
				} catch (error) {
					expect(error).toMatchObject({ name: "SyncHumanError", code: expect.stringMatching(/^(checkpoint|disk)$/) });
					const { code, message, hint } = error as SyncHumanError;
					expect(hint).toBeTruthy();
					if (code === "disk") expect(message).toMatch(/: the disk is full\.$/);
					outcomes[code === "disk" ? "full" : "failed"]++;
				}
				expect(wrongFiles(), `sequence ${sequence}`).toEqual([]);
				// With room again it goes on where it ended.
				if (disk.free === Number.POSITIVE_INFINITY) break;
				disk.free = Number.POSITIVE_INFINITY;
			}
			await open.server?.close();
			rmSync(folder, { recursive: true });
			open.folder = undefined;
		}
		expect([...met].sort()).toEqual([...kinds, "none"].sort());
		expect(outcomes.finished).toBeGreaterThan(20);
		expect(outcomes.failed).toBeGreaterThan(0);
		expect(outcomes.full).toBeGreaterThan(5);
	}, 120_000);

	test("PSHuman comes only by its name, into its own folder, without what nobody reads", async () => {
		const inside = "PSHuman_Unclip_768_6views";
		const name = (file: string) => `${inside}/${file}`;
		const text = (value: string) => new TextEncoder().encode(value);
		const prompts = [...(await hubFiles())].filter(([file]) => file.endsWith("_embeds.pt"));
		const files = new Map([
			...["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"].map((file) => [name(file), text("{}")] as const),
			[name("unet/diffusion_pytorch_model.safetensors"), text("weights")],
			[name("text_encoder/model.safetensors"), text("not read")],
			...prompts.map(([file, bytes]) => [name(file), bytes] as const),
		]);
		open.folder = mkdtempSync(join(tmpdir(), "download-"));
		open.server = await faultyServer(files, "pengHTYX/PSHuman_Unclip_768_6views", () => "none");
		const { folder, server } = { folder: open.folder, server: open.server };
		const said: string[] = [];
		const request = { folder, acceptLicences: true, parallel: 2, hub: server.url, mirror: `${server.url}/mirror`, only: ["PSHuman"] };
		await downloadWeights(request, { network: {}, ask: undefined, say: (line) => said.push(line), onProgress: () => undefined });
		expect(said.join("\n")).toMatch(/licence {2}none seen\n.*CC-BY-4\.0.*Open RAIL\+\+-M/);
		for (const file of files.keys()) expect(existsSync(join(folder, file)), file).toBe(!file.includes("text_encoder"));
		expect(readFileSync(join(folder, name("unet/diffusion_pytorch_model.safetensors")), "utf8")).toBe("weights");
		const { sets: known } = JSON.parse(readFileSync(join(folder, "synchuman.lock.json"), "utf8"));
		expect(Object.keys(known)).toEqual(["PSHuman"]);
		// All the other sets, but not this one, where nothing is named.
		await expect(
			downloadWeights(
				{ ...request, acceptLicences: false, only: [] },
				{ network: {}, ask: async () => false, say: (line) => said.push(line), onProgress: () => undefined },
			),
		).rejects.toMatchObject({ code: "input" });
		expect(said.filter((line) => line.startsWith("PSHuman: "))).toHaveLength(1);
	});

	test("a run that is stopped goes on where it ended, by Range", async () => {
		const large = "OneStage/vae/diffusion_pytorch_model.safetensors";
		let stalled = 0;
		const { server, run, wrongFiles, folder } = await begin((name) => (name === large && stalled++ === 0 ? "slow" : "none"));
		const stop = new AbortController();
		const running = run({ signal: stop.signal });
		while (!existsSync(join(folder, `${large}.part`)) || statSync(join(folder, `${large}.part`)).size < 35_000) {
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		stop.abort();
		await expect(running).rejects.toMatchObject({ code: "aborted", hint: "Run it again: it goes on where it ended." });
		expect(existsSync(join(folder, large))).toBe(false);
		await run();
		expect(wrongFiles()).toEqual([]);
		const ranges = server.requests.filter(({ path }) => path.endsWith(large)).map(({ range }) => range);
		expect(ranges).toEqual([undefined, "bytes=35000-"]);
	});

	test("a disk with too little room is told before any file is asked for", async () => {
		const { server, folder, run } = await begin(() => "none");
		disk.told = 50_000;
		await expect(run({ only: ["SyncHuman"] })).rejects.toMatchObject({
			code: "disk",
			message: expect.stringMatching(/: 100\d{3} bytes are needed, the disk has 49664 free\.$/),
		});
		expect(server.requests.map(({ path }) => path)).toEqual(["/mirror/tree.json"]);
		expect(readdirSync(folder)).toEqual([]);
		disk.told = undefined;
		await run({ only: ["SyncHuman"] });
	});

	test("a proxy of the environment is used, but for NO_PROXY", async () => {
		const { server, folder } = await begin(() => "none");
		const asked: string[] = [];
		const proxy = createServer().on("connect", (request, socket: Duplex) => {
			asked.push(request.url ?? "");
			const through = connect(Number(new URL(server.url).port), "127.0.0.1", () => {
				socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
				through.pipe(socket).pipe(through);
			});
			for (const end of [through, socket]) end.on("error", () => {});
		});
		await new Promise<void>((ready) => proxy.listen(0, "127.0.0.1", ready));
		bundle();
		const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
		const argv = (mirror: string, to: string) => ["download", "--dir", to, "--accept-licences", "--only", "DINOv2", "--mirror", mirror];
		// A name that only the proxy knows.
		const far = await synchuman(argv("http://mirror.invalid/mirror", join(folder, "far")), { cwd: folder, env: { http_proxy } });
		expect(far.status, far.stderr).toBe(0);
		expect(asked).toEqual(["mirror.invalid:80"]);
		const near = await synchuman(argv(`${server.url}/mirror`, join(folder, "near")), {
			cwd: folder,
			env: { http_proxy, no_proxy: "127.0.0.1" },
		});
		expect(near.status, near.stderr).toBe(0);
		expect(asked).toHaveLength(1);
		const name = "dinov2_vitl14_reg4_pretrain.pth";
		expect(readFileSync(join(folder, "far", name))).toEqual(readFileSync(join(folder, "near", name)));
		proxy.closeAllConnections();
		await new Promise((closed) => proxy.close(closed));
	});

	test("through the hub's own API: one commit, the token for the hub alone", async () => {
		const { server, run, wrongFiles } = await begin((name) => (name.endsWith("config.json") ? "redirect" : "none"));
		await run({ throughHub: true, only: ["SyncHuman"], token: "secret" });
		expect(
			server.requests.every(({ path }) => path.startsWith("/api/") || path.startsWith("/moved/") || path.includes("/0123456789abcdef/")),
		).toBe(true);
		expect(server.requests.every(({ authorization }) => authorization === "Bearer secret")).toBe(true);
		expect(wrongFiles()).toEqual([]);
	});

	test("asks before it downloads, and takes no for an answer", async () => {
		const { server, folder, run } = await begin(() => "none");
		await expect(run({ ask: async () => false })).rejects.toMatchObject({ code: "input" });
		await expect(run({ accept: false })).rejects.toMatchObject({ code: "input", message: expect.stringContaining("accept") });
		expect(server.requests).toHaveLength(0);
		expect(existsSync(join(folder, "clr_embeds.pt"))).toBe(false);
		await expect(run({ only: ["nonsense"] })).rejects.toThrow(/no set "nonsense"/);
	});

	test("a folder as mirror, compared with the lock beside it", async () => {
		const { folder: mirror, run } = await begin(() => "none");
		await run();
		const target = mkdtempSync(join(tmpdir(), "download-"));
		const copy = () =>
			downloadWeights(
				{ folder: target, acceptLicences: true, parallel: 2, hub: "http://127.0.0.1:1", mirror, only: sets },
				{ network: {}, ask: undefined, say: () => undefined, onProgress: () => undefined },
			);
		await copy();
		expect(readFileSync(join(target, "SecondStage/ckpts/slat_flow/model.safetensors"))).toEqual(
			readFileSync(join(mirror, "SecondStage/ckpts/slat_flow/model.safetensors")),
		);
		rmSync(target, { recursive: true });
		writeFileSync(join(mirror, "clr_embeds.pt"), "broken");
		await expect(copy()).rejects.toThrow(/is not what synchuman.lock.json/);
		rmSync(target, { recursive: true, force: true });
	});
});

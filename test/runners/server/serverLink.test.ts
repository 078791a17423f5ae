import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serverLink } from "../../../runners/server/serverLink.ts";

// A worker's way to a server whose connections break.

const file = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3);

let folder: string;
let server: Server;
let answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
/** "METHOD path range" of every request. */
let requests: string[];
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-link-"));
	requests = [];
	server = createServer((incoming, outgoing) => {
		requests.push([incoming.method, incoming.url?.replace("/work/a/", ""), incoming.headers.range].filter(Boolean).join(" "));
		answer(incoming, outgoing);
	});
	await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterEach(() => {
	server.closeAllConnections();
	server.close();
	rmSync(folder, { recursive: true, force: true });
});

function opened(patienceMs = 60_000) {
	const said: string[] = [];
	const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const link = serverLink({
		id: "a",
		run: "run",
		queued: async () => ({ server: address, key: "key" }),
		signal: new AbortController().signal,
		log: (text) => said.push(text),
		patience: { beginMs: patienceMs, resultMs: patienceMs },
	});
	return { ...link, said };
}

/** Sends `whole`, and breaks the connection after so many bytes of the first answers. */
function breaking(whole: Uint8Array, breaks: number[], ranges: boolean): typeof answer {
	return (incoming, outgoing) => {
		const start = ranges ? Number(/^bytes=(\d+)-$/.exec(incoming.headers.range ?? "")?.[1] ?? 0) : 0;
		outgoing.writeHead(start > 0 ? 206 : 200, { "content-length": whole.length - start });
		const until = breaks.shift();
		if (until === undefined) outgoing.end(whole.subarray(start));
		else outgoing.write(whole.subarray(start, start + until), () => setTimeout(() => outgoing.destroy(), 20));
	};
}

it("a download that breaks goes on from where it broke", async () => {
	answer = breaking(file, [100_000, 0, 150_000], true);
	const link = opened();
	await link.fetch("upload", join(folder, "new", "upload"));
	expect(Buffer.compare(readFileSync(join(folder, "new", "upload")), file)).toBe(0);
	expect(requests).toHaveLength(4);
	const starts = requests.map((request) => Number(/bytes=(\d+)-/.exec(request)?.[1] ?? 0));
	// What had been sent has not always arrived.
	expect(starts).toEqual([...starts].sort((a, b) => a - b));
	expect(starts[3]).toBeGreaterThan(0);
	expect(link.said.at(-1)).toBe("job a: the server answers again");
});

it("a server without ranges sends all of it again", async () => {
	answer = breaking(file, [200_000, 100_000], false);
	await opened().fetch("upload", join(folder, "upload"));
	expect(Buffer.compare(readFileSync(join(folder, "upload")), file)).toBe(0);
	expect(requests).toHaveLength(3);
});

it("one that always breaks is given up after a time", async () => {
	answer = breaking(file, Array(1000).fill(0), true);
	await expect(opened(500).fetch("upload", join(folder, "upload"))).rejects.toMatchObject({ code: "unavailable" });
	expect(requests.length).toBeGreaterThan(1);
	expect(requests.length).toBeLessThan(6);
});

it("orders and answers that break off are asked for again", async () => {
	const order = { options: {}, files: ["upload"] };
	answer = breaking(Buffer.from(JSON.stringify(order)), [10], true);
	const link = opened();
	expect(await link.begin()).toEqual(order);
	answer = breaking(Buffer.from('{"stop":true}'), [3], true);
	await link.tell([], true);
	expect(link.stopped.aborted).toBe(true);
	expect(requests).toEqual(["GET input", "GET input", "POST events", "POST events"]);
});

it("a result whose connection breaks is given again, whole", async () => {
	answer = breaking(file, [], false);
	await opened().fetch("upload", join(folder, "result"));
	let breaks = 1;
	const came: number[] = [];
	answer = (incoming, outgoing) => {
		let bytes = 0;
		incoming.on("error", () => {});
		incoming.on("data", (piece) => {
			bytes += piece.length;
			if (breaks > 0) {
				breaks--;
				incoming.destroy();
			}
		});
		incoming.on("end", () => {
			came.push(bytes);
			outgoing.writeHead(204).end();
		});
	};
	await opened().give("stage1/a.png", join(folder, "result"), file.length);
	expect(came).toEqual([file.length]);
	expect(requests).toEqual(["GET input/upload", "PUT files/stage1/a.png", "PUT files/stage1/a.png"]);
});

it("a disk that cannot take a file is an error at once", async () => {
	mkdirSync(join(folder, "upload"));
	answer = breaking(file, [], true);
	await expect(opened().fetch("upload", join(folder, "upload"))).rejects.toMatchObject({ code: "disk" });
	expect(requests).toEqual([]);
});

import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { fetchPicture } from "../../../runners/server/fetchPicture.ts";
import { isPublicAddress } from "../../../runners/server/publicAddress.ts";
import { failureOf } from "../../support/hostile.ts";
import { personPng, type SeenJob, testServer } from "../../support/testServer.ts";

const publicAddress = "93.184.215.14";

/** Addresses that must never be connected to. */
const inside = [
	"127.0.0.1",
	"127.255.255.254",
	"0.0.0.0",
	"10.0.0.1",
	"172.16.0.1",
	"172.31.255.255",
	"192.168.1.1",
	"169.254.169.254",
	"100.64.0.1",
	"192.0.0.1",
	"198.18.0.1",
	"224.0.0.1",
	"255.255.255.255",
	"::1",
	"::",
	"fe80::1",
	"fc00::1",
	"fd12:3456::1",
	"fec0::1",
	"ff02::1",
	"::ffff:127.0.0.1",
	"::ffff:10.0.0.1",
	"::ffff:93.184.215.14",
	"::127.0.0.1",
	"64:ff9b::7f00:1",
	"64:ff9b:1::1",
	"2002:7f00:1::1",
	"2001:0:7f00:1::1",
	"2001:db8::1",
];

let servers: Server[] = [];
afterEach(() => {
	for (const server of servers) {
		server.closeAllConnections();
		server.close();
	}
	servers = [];
});

/** A server on this machine, reached as if at `publicAddress`; how often it was asked. */
async function site(answer: RequestListener) {
	let asked = 0;
	const server = createServer((request, response) => {
		asked++;
		answer(request, response);
	});
	servers.push(server);
	await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
	const { port } = server.address() as AddressInfo;
	const names: Record<string, readonly string[]> = { "pictures.example": [publicAddress] };
	const limits = {
		maxBytes: 100_000,
		timeoutMs: 5000,
		resolve: async (host: string) => names[host] ?? [],
		dial: (address: string) => {
			if (address !== publicAddress) throw new Error(`connected to ${address}`);
			return { address: "127.0.0.1", port };
		},
	};
	return { limits, names, asked: () => asked };
}

const refusal = async (work: Promise<unknown>) => {
	const error = await failureOf(() => work);
	expect(error).toMatchObject({ name: "SyncHumanError", code: "input", message: expect.stringMatching(/^image_url: /) });
	return (error as Error).message;
};

describe("isPublicAddress", () => {
	it("is false for everything but the public internet", () => {
		for (const address of [...inside, "", "localhost", "1.2.3", "fe80::1%eth0"]) expect(isPublicAddress(address), address).toBe(false);
		for (const address of [publicAddress, "8.8.8.8", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "2a00:1450:4001::1"]) {
			expect(isPublicAddress(address), address).toBe(true);
		}
	});
});

describe("fetchPicture", () => {
	it("gives the bytes, also after redirects", async () => {
		const picture = await personPng();
		const { limits } = await site(({ url }, response) => {
			if (url === "/a") response.writeHead(302, { location: "/b" }).end();
			else if (url === "/b") response.writeHead(307, { location: "http://pictures.example:8080/c?d=1" }).end();
			else response.end(picture);
		});
		expect(Buffer.from(await fetchPicture("http://pictures.example/a", limits))).toEqual(Buffer.from(picture));
	});

	it("connects to none of the addresses inside, however they are written", async () => {
		const { limits, asked, names } = await site((_, response) => response.end("secret"));
		const written = [
			...inside.map((address) => (address.includes(":") ? `[${address}]` : address)),
			...["0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.0.1.", "0", "①②⑦.⓪.⓪.①", "localhost", "localhost.", "inside.example"],
		];
		for (const host of written) {
			expect(await refusal(fetchPicture(`http://${host}/`, limits)), host).toMatch(/not on the public internet|is no URL/);
		}
		for (const address of inside) {
			names["rebound.example"] = [address];
			await refusal(fetchPicture("https://rebound.example/", limits));
			names["rebound.example"] = [publicAddress, address];
			await refusal(fetchPicture("http://rebound.example/", limits));
		}
		expect(asked()).toBe(0);
	});

	it("follows no redirect to them", async () => {
		const targets = [
			...inside.map((address) => `http://${address.includes(":") ? `[${address}]` : address}/`),
			...[
				"//localhost/",
				"http://inside.example/",
				"file:///etc/passwd",
				"ftp://pictures.example/",
				"gopher://x/",
				"data:image/png;base64,AA",
			],
			...["javascript:1", "http://user:secret@pictures.example/"],
		];
		let at = 0;
		const { limits, asked, names } = await site((_, response) => response.writeHead(302, { location: targets[at] }).end());
		names["inside.example"] = ["10.1.2.3"];
		for (at = 0; at < targets.length; at++) await refusal(fetchPicture("http://pictures.example/", limits));
		expect(asked()).toBe(targets.length);
	});

	it("refuses other schemes, credentials, endless redirects, what is large, slow or not there", async () => {
		const { limits } = await site(({ url }, response) => {
			if (url === "/loop") response.writeHead(302, { location: "/loop" }).end();
			else if (url === "/large") response.writeHead(200, { "content-length": "1000000000" }).write("x");
			else if (url === "/endless") {
				const more = () => response.write("x".repeat(65_536), () => !response.destroyed && setImmediate(more));
				more();
			} else if (url === "/slow") response.write("x");
			else if (url === "/cut") response.writeHead(200, { "content-length": "100" }).write("x", () => response.destroy());
			else if (url !== "/silent") response.writeHead(404).end();
		});
		const ask = (path: string, timeoutMs = 5000) => refusal(fetchPicture(`http://pictures.example${path}`, { ...limits, timeoutMs }));
		for (const url of ["file:///etc/passwd", "ftp://pictures.example/", "no url", "", "http://", "http://a:b@pictures.example/"]) {
			await refusal(fetchPicture(url, limits));
		}
		expect(await ask("/loop")).toMatch(/more than 3 redirects/);
		expect(await ask("/large")).toMatch(/more than 100000 bytes/);
		expect(await ask("/endless")).toMatch(/more than 100000 bytes/);
		expect(await ask("/none")).toMatch(/answered 404/);
		expect(await ask("/cut")).toMatch(/could not be fetched/);
		expect(await ask("/slow", 100)).toMatch(/no picture within/);
		expect(await ask("/silent", 100)).toMatch(/no picture within/);
		const stuck = { ...limits, timeoutMs: 100, resolve: () => new Promise<never>(() => {}) };
		expect(await refusal(fetchPicture("http://pictures.example/", stuck))).toMatch(/no picture within/);
	});
});

it("the server fetches image_url only where it may, and takes only pictures", async () => {
	const picture = await personPng();
	const { limits } = await site(({ url }, response) => response.end(url === "/person.png" ? picture : "secret of another server"));
	const server = await testServer({ allowUrl: true, fetching: limits });
	const ask = async (url: string) => {
		const body = new FormData();
		body.set("image_url", url);
		body.set("texture_size", "0");
		body.set("download", "json");
		const answer = await fetch(`${server.url}/generate`, { method: "POST", body });
		return { status: answer.status, body: (await answer.json()) as SeenJob };
	};
	expect(await ask("http://pictures.example/person.png")).toMatchObject({ status: 200, body: { status: "done" } });
	const text = await ask("http://pictures.example/text");
	expect(text.status).toBe(422);
	expect(JSON.stringify(text.body)).not.toContain("secret");
	expect((await ask("http://169.254.169.254/latest/meta-data")).status).toBe(422);
	await server.end();
});

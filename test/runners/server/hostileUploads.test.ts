import { deflateRawSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hugePng } from "../../support/hugePng.ts";
import { personPng, type TestServer, testServer } from "../../support/testServer.ts";

// What must never reach a job: every one of these is answered with a 4xx, in bounded time and memory, and the server goes on.

let server: TestServer;
beforeAll(async () => {
	server = await testServer({ maxUpload: 8e6 });
});
afterAll(() => server.end());

/** Numbers from 0 to 1, the same in every run. */
function numbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

const boundary = "----made";
const typeOf = (name: string) => `multipart/form-data; boundary=${name}`;
const field = (name: string, text: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
const filePart = (bytes: Uint8Array, filename = "person.png", name = "image") =>
	Buffer.concat([
		Buffer.from(
			`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: image/png\r\n\r\n`,
		),
		bytes,
		Buffer.from("\r\n"),
	]);
const end = Buffer.from(`--${boundary}--\r\n`);

async function expectRefused(body: Uint8Array | string, type: string | undefined, what: string, longestMs = 60_000): Promise<void> {
	const started = performance.now();
	const answer = await fetch(`${server.url}/generate`, {
		method: "POST",
		body,
		...(type !== undefined && { headers: { "content-type": type } }),
	});
	const text = await answer.text();
	expect(answer.status, `${what}: ${text}`).toBeGreaterThanOrEqual(400);
	expect(answer.status, `${what}: ${text}`).toBeLessThan(500);
	expect(JSON.parse(text).error, what).toEqual({
		code: expect.any(String),
		message: expect.any(String),
		hint: expect.toSatisfy((hint) => hint === null || typeof hint === "string"),
	});
	expect(performance.now() - started, what).toBeLessThan(longestMs);
}

/** Runs `cases` eight at a time and looks at what is left: memory, no job, an empty queue. */
async function refuseAll(cases: readonly (() => Promise<void>)[]): Promise<void> {
	const before = process.memoryUsage.rss();
	const left = [...cases];
	await Promise.all(
		Array.from({ length: 8 }, async () => {
			for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
		}),
	);
	expect(process.memoryUsage.rss() - before).toBeLessThan(1.2e9);
	expect(server.queue.table.list()).toEqual([]);
	expect((await fetch(`${server.url}/health`)).status).toBe(200);
}

it("500 malformed multipart bodies", async () => {
	const random = numbers(5);
	const pick = (below: number) => Math.floor(random() * below);
	const picture = await personPng();
	const whole = Buffer.concat([filePart(picture), Buffer.from(field("seed", "1")), end]);
	const made: [body: Uint8Array | string, type: string | undefined][] = [
		["", typeOf(boundary)],
		[whole, "multipart/form-data"],
		[whole, "multipart/form-data; boundary="],
		[whole, `multipart/form-data; boundary=${"x".repeat(300)}`],
		[whole, typeOf("other")],
		[whole, "multipart/mixed; boundary=----made"],
		[whole, "application/json"],
		["{}", "application/json"],
		["image=1", "application/x-www-form-urlencoded"],
		[whole, undefined],
		[Buffer.concat([Buffer.from(field("a".repeat(100_000), "1")), end]), typeOf(boundary)],
		[Buffer.concat([Buffer.from(field("__proto__", "1")), filePart(picture), end]), typeOf(boundary)],
		[Buffer.concat([Buffer.from(field("constructor", "1")), filePart(picture), end]), typeOf(boundary)],
		[Buffer.concat([Buffer.from(field("seed", "1").repeat(20_000)), end]), typeOf(boundary)],
		[Buffer.concat([Buffer.from(field("seed", "9".repeat(1e6))), filePart(picture), end]), typeOf(boundary)],
		[Buffer.from(`--${boundary}\r\n`.repeat(50_000)), typeOf(boundary)],
		[Buffer.from("\r\n".repeat(100_000)), typeOf(boundary)],
		[Buffer.alloc(9e6, "a"), typeOf(boundary)],
		[Buffer.concat([filePart(new Uint8Array(8.5e6)), end]), typeOf(boundary)],
	];
	while (made.length < 500) {
		const kind = made.length % 5;
		if (kind === 0) made.push([whole.subarray(0, pick(whole.length - end.length - 4)), typeOf(boundary)]);
		else if (kind === 1) made.push([Buffer.from(Array.from({ length: 1 + pick(3000) }, () => pick(256))), typeOf(boundary)]);
		else if (kind === 2) {
			// The first boundary or the name of the first field is damaged.
			const bytes = Buffer.from(whole);
			const at = random() < 0.5 ? 2 + pick(boundary.length) : whole.indexOf('name="image"') + 6 + pick(5);
			bytes[at] ^= 1 + pick(3);
			made.push([bytes, typeOf(boundary)]);
		} else if (kind === 3) {
			const head = Buffer.from(whole);
			const at = head.indexOf("form-data");
			head.write(["formdata-", "attachmen", "\0\0\0\0\0\0\0\0\0", "form\r\nata"][pick(4)], at, "latin1");
			made.push([head, typeOf(boundary)]);
		} else
			made.push([Buffer.concat([Buffer.from(field(`f${pick(1e6)}`, "x".repeat(pick(100)))), filePart(picture), end]), typeOf(boundary)]);
	}
	await refuseAll(
		made.map(
			([body, type], i) =>
				() =>
					expectRefused(body, type, `body ${i}`),
		),
	);
});

it("200 hostile pictures", async () => {
	const random = numbers(7);
	const pick = (below: number) => Math.floor(random() * below);
	const picture = await personPng();
	const text = (value: string) => new TextEncoder().encode(value);
	const opaque = await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } })
		.jpeg()
		.toBuffer();
	const empty = await sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
		.png()
		.toBuffer();
	// 4,000 x 4,000 transparent pixels in some kilobytes.
	const bomb = await sharp({ create: { width: 4000, height: 4000, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
		.png({ compressionLevel: 9 })
		.toBuffer();
	const svg =
		'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>';
	const made: Uint8Array[] = [
		new Uint8Array(0),
		text(svg),
		text(`<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "&b;&b;"><!ENTITY b "ha">]>${svg}`),
		hugePng(100_000, 100_000),
		hugePng(0x7fffffff, 0x7fffffff),
		hugePng(13_000, 13_000),
		hugePng(1, 1),
		hugePng(0, 0),
		bomb,
		opaque,
		empty,
		text("GIF89a\x01\0\x01\0"),
		text("%PDF-1.7"),
		text("BM"),
		text("II*\0"),
		text("\0\0\0\x1cftypavif"),
		text("#!/bin/sh\nreboot\n"),
		deflateRawSync(new Uint8Array(1e7)),
		await sharp(opaque).gif().toBuffer(),
		await sharp(opaque).tiff().toBuffer(),
	];
	const webp = await sharp(picture).webp({ lossless: true }).toBuffer();
	while (made.length < 200) {
		const kind = made.length % 4;
		if (kind === 0) made.push(picture.slice(0, 1 + pick(picture.length - 30)));
		else if (kind === 1) made.push(webp.subarray(0, 1 + pick(webp.length - 30)));
		else if (kind === 2) made.push(opaque.subarray(0, 1 + pick(opaque.length - 2)));
		else {
			// The right first bytes, then noise.
			const noise = Uint8Array.from({ length: 50 + pick(2000) }, () => pick(256));
			noise.set([picture, webp, opaque][pick(3)].subarray(0, 16));
			made.push(noise);
		}
	}
	const names = [
		"person.png",
		"../../etc/passwd",
		"..\\..\\x.png",
		"/etc/cron.d/x",
		"a\0b.png",
		"x".repeat(5000),
		"con.png",
		"%2e%2e%2fx",
		"<b>.svg",
		"job.json",
	];
	await refuseAll(
		made.map(
			(bytes, i) => () =>
				expectRefused(
					Buffer.concat([filePart(bytes, names[i % names.length]), Buffer.from(field("background", "keep")), end]),
					typeOf(boundary),
					`picture ${i}`,
					30_000,
				),
		),
	);
});

it("a name with .. of a picture that is fine leads nowhere", async () => {
	const body = Buffer.concat([
		filePart(await personPng(), "../../../escaped.png"),
		Buffer.from(field("texture_size", "0")),
		Buffer.from(field("download", "json")),
		end,
	]);
	const answer = await fetch(`${server.url}/generate`, { method: "POST", body, headers: { "content-type": typeOf(boundary) } });
	const job = (await answer.json()) as { job_id: string; status: string; result: { files: string[] } };
	expect([answer.status, job.status]).toEqual([200, "done"]);
	expect(job.result.files.join()).not.toContain("escaped");
	for (const path of ["..%2fjob.json", "job.json", "upload", "%2e%2e/job.json", "stage1/..%2f..%2fjob.json", "stage1/%00", "__proto__"]) {
		expect((await fetch(`${server.url}/jobs/${job.job_id}/${path}`)).status, path).toBe(404);
	}
});

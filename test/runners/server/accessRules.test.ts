import { request } from "node:http";
import { expect, it } from "vitest";
import { personForm, type TestServer, testServer } from "../../support/testServer.ts";

/** Asks with headers that `fetch` does not let one set. */
function ask(server: TestServer, path: string, headers: Readonly<Record<string, string>>, method = "GET") {
	return new Promise<{ status: number; allowed: string | undefined; text: string }>((answered, failed) => {
		const { hostname, port } = new URL(server.url);
		const sent = request({ host: hostname, port, path, method, headers }, (answer) => {
			let text = "";
			answer.on("data", (piece) => {
				text += piece;
			});
			answer.on("end", () => answered({ status: answer.statusCode ?? 0, allowed: answer.headers["access-control-allow-origin"], text }));
		});
		sent.on("error", failed).end();
	});
}

it("with a token everything but the pages needs it", async () => {
	const server = await testServer({ token: "secret" });
	for (const path of ["/", "/docs", "/openapi.json", "/page/page.js", "/health"])
		expect((await ask(server, path, {})).status, path).toBe(200);
	for (const path of ["/info", "/metrics", "/jobs", `/jobs/${"0".repeat(32)}`, "/page", "/nothing"]) {
		expect((await ask(server, path, {})).status, path).toBe(401);
		for (const wrong of ["secre", "secret2", "", "Bearer"]) {
			expect((await ask(server, path, { authorization: `Bearer ${wrong}` })).status, path).toBe(401);
		}
	}
	expect((await ask(server, "/jobs", { authorization: "Bearer secret" })).status).toBe(200);
	expect((await ask(server, "/jobs", { authorization: "Bearer secret", host: "gpu.example" })).status).toBe(200);
	const form = { method: "POST", body: await personForm() };
	expect((await fetch(`${server.url}/generate`, form)).status).toBe(401);
	expect(server.queue.table.list()).toEqual([]);
	await server.end();
});

it("pages of other web sites and other names of this machine are refused", async () => {
	const server = await testServer();
	const { port } = new URL(server.url);
	for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "LOCALHOST", `[::1]:${port}`]) {
		expect((await ask(server, "/jobs", { host })).status, host).toBe(200);
	}
	for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example"]) {
		expect((await ask(server, "/jobs", { host })).status, host).toBe(403);
	}
	for (const origin of ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1"]) {
		const { status, allowed } = await ask(server, "/generate", { origin }, "POST");
		expect([status, allowed], origin).toEqual([403, undefined]);
	}
	expect((await ask(server, "/jobs", { origin: server.url })).status).toBe(200);
	await server.end();
});

it("--cors lets the pages of one site in", async () => {
	const server = await testServer({ origins: ["https://site.example"] });
	expect(await ask(server, "/jobs", { origin: "https://site.example" })).toMatchObject({ status: 200, allowed: "https://site.example" });
	const preflight = { origin: "https://site.example", "access-control-request-method": "DELETE" };
	expect(await ask(server, "/jobs", preflight, "OPTIONS")).toMatchObject({ status: 204, allowed: "https://site.example" });
	expect((await ask(server, "/jobs", { origin: "https://other.example" })).status).toBe(403);
	await server.end();
});

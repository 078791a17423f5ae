import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server does wrong with one request. */
export type Fault = "none" | "cut" | "wrong" | "slow" | "429" | "500" | "redirect" | "noRange" | "404" | "refused";

/** A loopback server of files with a hub's API over them, which does wrong what it is told to. */
export interface FaultyServer {
	readonly url: string;
	/** Requests so far: path and range. */
	readonly requests: { readonly path: string; readonly range: string | undefined; readonly authorization: string | undefined }[];
	close(): Promise<void>;
}

/**
 * Serves `files` at /resolve paths of `repository`, at /mirror/NAME, and their list as the hub gives it, also of a folder of the mirror. `faultOf` is asked for every request
 * of a file.
 */
export async function faultyServer(
	files: ReadonlyMap<string, Uint8Array>,
	repository: string,
	faultOf: (name: string, request: number) => Fault,
): Promise<FaultyServer> {
	const requests: FaultyServer["requests"] = [];
	const tree = [...files].map(([path, bytes]) => {
		const isLarge = path.endsWith(".safetensors");
		const git = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
		const lfs = { oid: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
		return { type: "file", path, size: bytes.length, oid: git, ...(isLarge && { lfs }) };
	});
	const serve = (request: IncomingMessage, response: ServerResponse) => {
		const path = new URL(request.url ?? "/", "http://localhost").pathname;
		const { range, authorization } = request.headers;
		requests.push({ path, range, authorization });
		if (path === `/api/models/${repository}/revision/main`) return void response.end(JSON.stringify({ sha: "0123456789abcdef" }));
		const listed = /^\/mirror\/((?:.+\/)?)tree\.json$/.exec(path)?.[1];
		if (path === `/api/models/${repository}/tree/0123456789abcdef` || listed === "") return void response.end(JSON.stringify(tree));
		if (listed !== undefined) {
			const below = tree
				.filter((entry) => entry.path.startsWith(listed))
				.map((entry) => ({ ...entry, path: entry.path.slice(listed.length) }));
			return void response.end(JSON.stringify(below));
		}
		const name = decodeURIComponent(
			path.replace(`/${repository}/resolve/0123456789abcdef/`, "").replace("/mirror/", "").replace("/moved/", ""),
		);
		const bytes = files.get(name);
		const fault = bytes === undefined ? "404" : path.startsWith("/moved/") ? "none" : faultOf(name, requests.length);
		if (bytes === undefined || fault === "404") return void response.writeHead(404).end();
		if (fault === "refused") return void response.writeHead(403).end();
		if (fault === "500") return void response.writeHead(500).end();
		if (fault === "429") return void response.writeHead(429, { "retry-after": "0.01" }).end();
		if (fault === "redirect") return void response.writeHead(302, { location: `/moved/${encodeURIComponent(name)}` }).end();
		const from = fault === "noRange" ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
		if (from >= bytes.length && bytes.length > 0) return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
		const body = Buffer.from(bytes.subarray(from));
		// Another byte each time: who has no hash compares two downloads, and no two damages are the same.
		if (fault === "wrong" && body.length > 0) body[(Math.floor(body.length / 2) + requests.length) % body.length] ^= 1;
		response.writeHead(from > 0 ? 206 : 200, {
			"content-length": body.length,
			etag: `"${name}"`,
			...(from > 0 && { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
		});
		if (fault === "cut" || fault === "slow") {
			response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
				if (fault === "cut") response.destroy();
			});
		} else response.end(body);
	};
	const server = createServer(serve);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests,
		close: () =>
			new Promise((resolve) => {
				server.closeAllConnections();
				server.close(() => resolve());
			}),
	};
}

import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { HttpError } from "./httpError.ts";

/** Who may ask. */
export interface AccessOptions {
	/** Bearer token that every request but those of open pages must bring. */
	readonly token: string | undefined;
	/** Origins of other web sites that may ask from a browser. */
	readonly origins: readonly string[];
	/** Whether the server is bound to a loopback address. */
	readonly loopback: boolean;
}

/** Paths that hold nothing of anybody's: pages, their files, and what load balancers ask. */
const open = [/^\/$/, /^\/health$/, /^\/docs$/, /^\/openapi\.json$/, /^\/page\//];

/** True for addresses and names of this machine alone. */
export function isLoopback(host: string): boolean {
	const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
	return name === "localhost" || name.endsWith(".localhost") || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/**
 * Refuses a request that may not be served: without the token; from a page of another web site (browsers send forms to any server, CORS or
 * not); or, on loopback without a token, under a name that is not this machine's (DNS rebinding). Throws codes "unauthorized", "forbidden".
 */
export function checkAccess(request: Request, { token, origins, loopback }: AccessOptions): void {
	const { pathname } = new URL(request.url);
	const host = request.headers.get("host") ?? "";
	if (loopback && token === undefined && !isLoopback(host.replace(/:\d*$/, ""))) {
		throw new HttpError(
			"forbidden",
			"This server is for this machine alone.",
			"Ask for http://localhost or 127.0.0.1, or start it with --host and --token.",
		);
	}
	const origin = request.headers.get("origin");
	if (origin !== null && !sameOrigin(origin, host) && !origins.includes(origin) && !origins.includes("*")) {
		throw new HttpError("forbidden", "Pages of other web sites may not ask this server.", "Start it with --cors and that site's origin.");
	}
	if (token === undefined || open.some((path) => path.test(pathname))) return;
	const given = /^Bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
	if (given === undefined || !timingSafeEqual(digest(given), digest(token))) {
		throw new HttpError("unauthorized", "A token is needed.", "Send it as Authorization: Bearer TOKEN.");
	}
}

function sameOrigin(origin: string, host: string): boolean {
	return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

function digest(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}

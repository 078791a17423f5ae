import { lookup } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { SyncHumanError } from "../../engine/error.ts";
import { isPublicAddress } from "./publicAddress.ts";

/** How a picture is fetched; tests give their own names and addresses. */
export interface FetchLimits {
	readonly maxBytes: number;
	/** For everything, redirects included. */
	readonly timeoutMs: number;
	/** All addresses of a name. */
	readonly resolve?: (host: string) => Promise<readonly string[]>;
	/** Where an address that passed is really connected to. */
	readonly dial?: (address: string, port: number) => { readonly address: string; readonly port: number };
	readonly signal?: AbortSignal;
}

const maxRedirects = 3;

const resolveAll = async (host: string) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

function refused(problem: string): SyncHumanError {
	return new SyncHumanError(
		"input",
		`image_url: ${problem}.`,
		"Give the http or https address of a picture on the public internet, or upload it.",
	);
}

/**
 * The bytes behind a URL of a picture. Every host, also of redirects, must resolve to public addresses alone, and the connection goes to the
 * address that was looked at, so that a name cannot change in between. Throws code "input".
 */
export async function fetchPicture(url: string, limits: FetchLimits): Promise<Uint8Array> {
	const ours = AbortSignal.timeout(limits.timeoutMs);
	const signal = limits.signal === undefined ? ours : AbortSignal.any([ours, limits.signal]);
	try {
		let at = checkedUrl(url, undefined);
		for (let hop = 0; hop <= maxRedirects; hop++) {
			const answer = await open(at, limits, signal);
			const { statusCode = 0, headers } = answer;
			if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
				answer.destroy();
				at = checkedUrl(headers.location, at);
				continue;
			}
			if (statusCode !== 200) {
				answer.destroy();
				throw refused(`the other server answered ${statusCode}`);
			}
			return await body(answer, limits.maxBytes);
		}
		throw refused(`more than ${maxRedirects} redirects`);
	} catch (error) {
		if (error instanceof SyncHumanError) throw error;
		if (signal.aborted) throw refused(`no picture within ${Math.round(limits.timeoutMs / 1000)} s`);
		// The reason is not told: it would say which ports of which hosts answer.
		throw refused("the picture could not be fetched");
	}
}

function checkedUrl(given: string, base: URL | undefined): URL {
	if (!URL.canParse(given, base?.href)) throw refused("is no URL");
	const url = new URL(given, base);
	if (url.protocol !== "http:" && url.protocol !== "https:") throw refused("only http and https are fetched");
	if (url.username !== "" || url.password !== "") throw refused("must hold no user name or password");
	return url;
}

async function open(url: URL, { resolve = resolveAll, dial }: FetchLimits, signal: AbortSignal): Promise<IncomingMessage> {
	const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
	const addresses = isIP(host) ? [host] : await abortable(resolve(host), signal);
	if (addresses.length === 0 || !addresses.every(isPublicAddress)) throw refused("the host is not on the public internet");
	const secure = url.protocol === "https:";
	const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
	const target = dial?.(addresses[0], port) ?? { address: addresses[0], port };
	return new Promise((answered, failed) => {
		const sent = (secure ? requestHttps : requestHttp)({
			host: target.address,
			port: target.port,
			path: `${url.pathname}${url.search}`,
			headers: { host: url.host, accept: "image/png, image/jpeg, image/webp", "accept-encoding": "identity", "user-agent": "synchuman" },
			...(secure && isIP(host) === 0 && { servername: host }),
			agent: false,
			signal,
		});
		sent.on("response", answered).on("error", failed).end();
	});
}

async function body(answer: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
	const tooLarge = () => refused(`the file has more than ${maxBytes} bytes`);
	if (Number(answer.headers["content-length"] ?? 0) > maxBytes) {
		answer.destroy();
		throw tooLarge();
	}
	const pieces: Buffer[] = [];
	let length = 0;
	for await (const piece of answer) {
		length += piece.length;
		if (length > maxBytes) {
			answer.destroy();
			throw tooLarge();
		}
		pieces.push(piece);
	}
	return Buffer.concat(pieces);
}

/** A promise that gives up when `signal` is aborted. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
		work.then(resolve, reject);
	});
}

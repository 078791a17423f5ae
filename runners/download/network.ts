import { setTimeout as wait } from "node:timers/promises";
import { EnvHttpProxyAgent, fetch, type Response } from "undici";
import { SyncHumanError } from "../../engine/error.ts";

/** How requests are made; tests shorten the waits. */
export interface NetworkOptions {
	/** Sent to the hub's own host only, never to where it redirects. */
	readonly token?: string | undefined;
	readonly signal?: AbortSignal | undefined;
	/** A connection that gives no byte for so long is given up and tried again. Default 30 s. */
	readonly idleMs?: number;
	/** Attempts without a single new byte before a request is given up. Default 6. */
	readonly attempts?: number;
	/** The wait before the second attempt; doubled for every further one, up to a minute. Default 1 s. */
	readonly firstWaitMs?: number;
	/** Told why an attempt failed and how long the next one waits. */
	readonly onRetry?: ((problem: string, waitMs: number) => void) | undefined;
}

/** Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
let agent: EnvHttpProxyAgent | undefined;

const maxRedirects = 8;
const maxWaitMs = 60_000;

/** A failure that another attempt may mend. */
export class Passing extends Error {
	/** What the server asked to wait, if it did. */
	readonly waitMs: number | undefined;
	constructor(message: string, waitMs?: number) {
		super(message);
		this.waitMs = waitMs;
	}
}

/** An error of a download that no repetition mends. */
export function failed(url: string, problem: string, hint: string): SyncHumanError {
	return new SyncHumanError("checkpoint", `${url}: ${problem}.`, hint);
}

/**
 * One request, redirects followed by hand: to http or https only, and without the token on another host. Resolves with a 2xx answer
 * (or 416); throws `Passing` for what may mend (429, 5xx, broken connections), SyncHumanError for what does not.
 */
export async function request(
	url: string,
	headers: Readonly<Record<string, string>>,
	options: NetworkOptions,
	signal: AbortSignal,
): Promise<Response> {
	agent ??= new EnvHttpProxyAgent();
	const home = new URL(url).host;
	let current = url;
	for (let redirects = 0; ; redirects++) {
		const { protocol, host } = new URL(current);
		if (protocol !== "http:" && protocol !== "https:")
			throw failed(url, `leads to ${protocol}//${host}`, "Only http and https are followed.");
		const authorization = options.token !== undefined && host === home ? { authorization: `Bearer ${options.token}` } : {};
		const response = await fetch(current, {
			headers: { ...headers, ...authorization, "user-agent": "synchuman-webgpu", "accept-encoding": "identity" },
			redirect: "manual",
			signal,
			dispatcher: agent,
		}).catch((error: Error & { cause?: Error }) => {
			throw new Passing(error.cause?.message ?? error.message);
		});
		const location = response.headers.get("location");
		if (response.status >= 300 && response.status < 400 && location !== null) {
			await response.body?.cancel();
			if (redirects === maxRedirects)
				throw failed(url, `is redirected more than ${maxRedirects} times`, "Try again later, or give another --mirror.");
			current = new URL(location, current).href;
			continue;
		}
		if (response.ok || response.status === 416) return response;
		await response.body?.cancel();
		throw refusal(url, response);
	}
}

function refusal(url: string, response: Response): Error {
	const { status } = response;
	if (status === 429 || status === 408 || status >= 500) {
		const after = Number(response.headers.get("retry-after"));
		return new Passing(`status ${status}`, Number.isFinite(after) && after > 0 ? Math.min(after * 1000, maxWaitMs) : undefined);
	}
	if (status === 401 || status === 403) {
		return failed(url, `refused with status ${status}`, "If the repository is gated, accept its terms on its page and set HF_TOKEN.");
	}
	if (status === 404 || status === 410) {
		return failed(
			url,
			`is not there (status ${status})`,
			"It may have moved: give --mirror, or get the file by hand and put it into the weights folder.",
		);
	}
	return failed(url, `answered with status ${status}`, "Try again later, or give another --mirror.");
}

/**
 * Repeats `attempt` while it fails with `Passing`, with growing waits. An attempt that made progress (returned by `progress`, a number
 * that grows) starts the count anew.
 */
export async function persistently<T>(url: string, options: NetworkOptions, progress: () => number, attempt: () => Promise<T>): Promise<T> {
	const { attempts = 6, firstWaitMs = 1000, signal } = options;
	let failures = 0;
	for (;;) {
		const before = progress();
		try {
			return await attempt();
		} catch (error) {
			if (signal?.aborted) throw new SyncHumanError("aborted", "The download was stopped.", "Run it again: it goes on where it ended.");
			if (!(error instanceof Passing)) throw error;
			failures = progress() > before ? 1 : failures + 1;
			if (failures >= attempts) {
				const hint = "What is there is kept: run the same command again to go on, or give --mirror.";
				throw failed(url, `could not be downloaded: ${error.message} (${attempts} attempts)`, hint);
			}
			const waitMs = Math.min(error.waitMs ?? firstWaitMs * 2 ** (failures - 1), maxWaitMs);
			options.onRetry?.(error.message, waitMs);
			await wait(waitMs, undefined, signal && { signal }).catch(() => undefined);
		}
	}
}

/** The whole JSON answer of a URL, at most 64 MiB. */
export async function fetchJson(url: string, options: NetworkOptions): Promise<unknown> {
	const { idleMs = 30_000 } = options;
	return persistently(
		url,
		options,
		() => 0,
		async () => {
			const signals = [AbortSignal.timeout(4 * idleMs), ...(options.signal ? [options.signal] : [])];
			const response = await request(url, { accept: "application/json" }, options, AbortSignal.any(signals));
			const text = await response.text().catch((error: Error) => {
				throw new Passing(error.message);
			});
			if (text.length > 2 ** 26) throw failed(url, "gave a list of more than 64 MiB", "Check --mirror and HF_ENDPOINT.");
			try {
				return JSON.parse(text);
			} catch {
				throw new Passing("the answer is not JSON");
			}
		},
	);
}

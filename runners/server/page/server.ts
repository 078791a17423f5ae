import type { Job } from "./jobs.ts";

/** What the server answered instead of what was asked for. */
export class ServerError extends Error {
	/** HTTP status. */
	readonly status: number;
	constructor(status: number, message: string) {
		super(message);
		this.name = "ServerError";
		this.status = status;
	}
}

const tokenKey = "synchuman-token";

/** The bearer token that requests bring; "" for none. Kept until the tab is closed. */
export function token(): string {
	return sessionStorage.getItem(tokenKey) ?? "";
}

/** Sets it. */
export function setToken(value: string): void {
	sessionStorage.setItem(tokenKey, value);
}

/** Asks the server. Throws ServerError with the server's own words, or what the browser says where it cannot be reached. */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
	const headers: Record<string, string> = token() === "" ? {} : { Authorization: `Bearer ${token()}` };
	const answer = await fetch(path, { ...options, headers }).catch((error: unknown) => {
		if (options.signal?.aborted) throw error;
		throw new ServerError(0, "The server does not answer.");
	});
	if (answer.ok) return answer;
	const body: unknown = await answer.json().catch(() => undefined);
	const { message, hint } = (body as { error?: { message?: string; hint?: string | null } } | undefined)?.error ?? {};
	throw new ServerError(answer.status, [message ?? `The server answered ${answer.status}.`, hint].filter(Boolean).join(" "));
}

/** The same, of a path that gives JSON. */
export async function ask<Answer>(path: string, options: RequestInit = {}): Promise<Answer> {
	return (await request(path, options)).json() as Promise<Answer>;
}

/** What a stream brings; browsers without its own iteration (Safari) have readers. */
async function* piecesOf<Piece>(stream: ReadableStream<Piece>): AsyncGenerator<Piece> {
	const reader = stream.getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			yield value;
		}
	} finally {
		// Nobody reads the rest; a stream that broke has none.
		reader.cancel().catch(() => undefined);
	}
}

/** Bytes of a file; `onProgress` hears their share while they come. */
export async function bytesOf(path: string, onProgress: (share: number) => void = () => {}): Promise<Uint8Array<ArrayBuffer>> {
	const answer = await request(path);
	const length = Number(answer.headers.get("content-length") ?? 0);
	if (answer.body === null || length === 0) return new Uint8Array(await answer.arrayBuffer());
	const bytes = new Uint8Array(length);
	let at = 0;
	for await (const piece of piecesOf(answer.body)) {
		bytes.set(piece, at);
		at += piece.length;
		onProgress(at / length);
	}
	return bytes;
}

/** Shows a path in an <img>: the path itself, or its bytes where the server wants a token, which pictures cannot bring. Resolves when it is loaded. */
export async function showPicture(image: HTMLImageElement, path: string): Promise<void> {
	const source = token() === "" ? path : URL.createObjectURL(await (await request(path)).blob());
	image.src = source;
	try {
		await image.decode();
	} finally {
		if (source !== path) URL.revokeObjectURL(source);
	}
}

/** Saves a file under a name of ours; for servers that want a token, and so for links that cannot bring it. */
export async function save(path: string, name: string): Promise<void> {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(await (await request(path)).blob());
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A job after every change until it has ended (server-sent events, read by hand: EventSource brings no token). */
export async function* changesOf(job: Job, signal: AbortSignal): AsyncGenerator<Job> {
	const { body } = await request(job.links.events, { signal });
	if (body === null) return;
	let text = "";
	for await (const piece of piecesOf(body.pipeThrough(new TextDecoderStream()))) {
		const events = `${text}${piece}`.split("\n\n");
		text = events.pop() ?? "";
		for (const event of events) {
			const [, data] = /^event: job\ndata: (.+)$/m.exec(event) ?? [];
			if (data !== undefined) yield JSON.parse(data) as Job;
		}
	}
}

import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { SyncHumanError } from "../../engine/error.ts";
import { checkTorchZip } from "../../weights/torchZip.ts";
import { fileByteSource } from "../files.ts";
import type { LockedFile } from "../weightsLock.ts";
import { diskError, makeFolder, writeAll } from "../writeFiles.ts";
import { failed, type NetworkOptions, Passing, persistently, request } from "./network.ts";

/** What a file must be, as far as anybody says. */
export interface Expected {
	readonly byteLength?: number | undefined;
	/** Hexadecimal; `gitSha1` is git's hash of a blob. */
	readonly sha256?: string | undefined;
	readonly gitSha1?: string | undefined;
	readonly md5?: string | undefined;
}

/** Hashes of a file while it grows. */
class Fingerprint {
	readonly #sha256 = createHash("sha256");
	readonly #md5 = createHash("md5");
	readonly #git: Hash | undefined;
	byteLength = 0;

	constructor(gitLength: number | undefined) {
		this.#git = gitLength === undefined ? undefined : createHash("sha1").update(`blob ${gitLength}\0`);
	}

	update(chunk: Uint8Array): void {
		this.byteLength += chunk.length;
		for (const hash of [this.#sha256, this.#md5, this.#git]) hash?.update(chunk);
	}

	/** sha256 of everything; what differs from `expected`, or undefined. */
	compare(expected: Expected): { readonly sha256: string; readonly wrong: string | undefined } {
		const [sha256, md5, git] = [this.#sha256.digest("hex"), this.#md5.digest("hex"), this.#git?.digest("hex")];
		const pairs: [string, string | number | undefined, string | number | undefined][] = [
			["length", this.byteLength, expected.byteLength],
			["sha256", sha256, expected.sha256],
			["md5", md5, expected.md5],
			["git hash", git, expected.gitSha1],
		];
		const found = pairs.find(([, is, should]) => should !== undefined && is !== should);
		return { sha256, wrong: found && `${found[0]} ${found[1]}, expected ${found[2]}` };
	}
}

/** Whole files that came with wrong bytes before a download is given up. */
const maxWrongFiles = 3;

/**
 * Downloads a URL to `path`: into `path`.part, which a later call goes on with (Range, If-Range), compared with what is expected, synced, and
 * only then renamed. torch files are also compared with their own checksums. `onBytes` hears of every piece, and of pieces that count no
 * more as negative numbers. Rejects with code "checkpoint", "disk" or "aborted"; what has arrived stays as .part.
 */
export async function download(
	url: string,
	path: string,
	expected: Expected,
	options: NetworkOptions & { readonly onBytes?: ((count: number) => void) | undefined },
): Promise<LockedFile> {
	const part = `${path}.part`;
	const { onBytes = () => undefined, idleMs = 30_000, signal } = options;
	let received = 0;
	try {
		await makeFolder(dirname(path));
		for (let wrongFiles = 1; ; wrongFiles++) {
			let fingerprint = await fingerprintOf(part, expected);
			if (expected.byteLength !== undefined && fingerprint.byteLength > expected.byteLength) fingerprint = await emptied(part, expected);
			onBytes(fingerprint.byteLength);
			let etag: string | undefined;
			const state = { total: expected.byteLength };
			await persistently(
				url,
				options,
				() => received,
				async () => {
					const have = fingerprint.byteLength;
					if (have > 0 && have === state.total) return;
					const stalled = new AbortController();
					let timer = setTimeout(() => stalled.abort(), idleMs);
					const file = await open(part, have > 0 ? "r+" : "w");
					try {
						const range: Record<string, string> =
							have > 0 ? { range: `bytes=${have}-`, ...(etag !== undefined && { "if-range": etag }) } : {};
						const response = await request(url, range, options, AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]));
						const start = startOf(response.headers.get("content-range"));
						let at = have;
						if (response.status === 416 || (response.status === 206 && start !== have) || (response.status === 200 && have > 0)) {
							// Another file than the one that was begun, or a server without ranges: from the beginning.
							onBytes(-have);
							fingerprint = new Fingerprint(expected.gitSha1 === undefined ? undefined : expected.byteLength);
							await file.truncate(0);
							at = 0;
							if (response.status !== 200) {
								await response.body?.cancel();
								throw new Passing("the server would not go on where the file ended");
							}
						}
						etag = strong(response.headers.get("etag"));
						const length = Number(response.headers.get("content-length") ?? Number.NaN);
						if (Number.isFinite(length)) {
							if (expected.byteLength !== undefined && at + length !== expected.byteLength) {
								throw new Passing(`the server offers ${at + length} bytes, expected ${expected.byteLength}`);
							}
							state.total = at + length;
						}
						try {
							for await (const chunk of response.body ?? []) {
								clearTimeout(timer);
								timer = setTimeout(() => stalled.abort(), idleMs);
								if (state.total !== undefined && at + chunk.length > state.total) throw new Passing("more bytes came than were announced");
								await writeAll(file, chunk, at);
								at += chunk.length;
								received += chunk.length;
								fingerprint.update(chunk);
								onBytes(chunk.length);
							}
						} catch (error) {
							if (error instanceof Passing || isDisk(error)) throw error;
							throw new Passing(stalled.signal.aborted ? `no byte for ${idleMs / 1000} s` : (error as Error).message);
						}
						if (state.total !== undefined && at !== state.total) throw new Passing(`the connection ended ${state.total - at} bytes early`);
						await file.sync();
					} catch (error) {
						if (stalled.signal.aborted && !signal?.aborted) throw new Passing(`no answer for ${idleMs / 1000} s`);
						throw error;
					} finally {
						clearTimeout(timer);
						await file.close();
					}
				},
			);
			const { sha256, wrong } = fingerprint.compare(expected);
			const problem = wrong ?? (await damageOf(part, path));
			if (problem === undefined) {
				await rename(part, path);
				return { byteLength: fingerprint.byteLength, sha256 };
			}
			onBytes(-fingerprint.byteLength);
			await rm(part, { force: true });
			if (wrongFiles === maxWrongFiles) {
				throw failed(
					url,
					`came ${maxWrongFiles} times with wrong bytes (${problem})`,
					"The mirror or the network damages files: try another.",
				);
			}
			options.onRetry?.(`wrong bytes (${problem}); from the beginning`, 0);
		}
	} catch (error) {
		if (signal?.aborted) throw new SyncHumanError("aborted", "The download was stopped.", "Run it again: it goes on where it ended.");
		throw diskError(path, error);
	}
}

/** What is there of a file already. */
async function fingerprintOf(part: string, expected: Expected): Promise<Fingerprint> {
	const fingerprint = new Fingerprint(expected.gitSha1 === undefined ? undefined : expected.byteLength);
	const found = await stat(part).catch(() => undefined);
	if (found?.isFile()) for await (const chunk of createReadStream(part, { highWaterMark: 2 ** 22 })) fingerprint.update(chunk);
	return fingerprint;
}

async function emptied(part: string, expected: Expected): Promise<Fingerprint> {
	await rm(part, { force: true });
	return fingerprintOf(part, expected);
}

/** torch.save writes a checksum for every tensor; what it says, or undefined. Other files have none of their own. */
async function damageOf(part: string, path: string): Promise<string | undefined> {
	if (!/\.(pt|pth)$/.test(path)) return undefined;
	try {
		await checkTorchZip(await fileByteSource(part));
		return undefined;
	} catch (error) {
		return (error as Error).message;
	}
}

/** Where a part begins: "bytes 100-199/200". */
function startOf(range: string | null): number | undefined {
	const match = /^bytes (\d+)-/.exec(range ?? "");
	return match === null ? undefined : Number(match[1]);
}

/** If-Range takes strong validators only. */
function strong(etag: string | null): string | undefined {
	return etag !== null && !etag.startsWith("W/") ? etag : undefined;
}

function isDisk(error: unknown): boolean {
	return error instanceof Error && "syscall" in error && (error as NodeJS.ErrnoException).syscall === "write";
}

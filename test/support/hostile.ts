import fc from "fast-check";
import { expect } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import type { ByteSource, Folder } from "../../weights/source.ts";

/** Files in memory as a checkpoint folder. */
export function memoryFolder(name: string, files: Readonly<Record<string, Uint8Array | string>>): Folder {
	const bytesOf = (file: Uint8Array | string) => (typeof file === "string" ? new TextEncoder().encode(file) : file);
	return {
		name,
		open: async (path) => (Object.hasOwn(files, path) ? memoryByteSource(`${name}/${path}`, bytesOf(files[path])) : undefined),
		list: async (path) => {
			const below = Object.keys(files).filter((file) => path === "" || file.startsWith(`${path}/`));
			return [...new Set(below.map((file) => file.slice(path === "" ? 0 : path.length + 1).split("/")[0]))];
		},
	};
}

/** Expects an error of code "checkpoint" whose message matches and names `file`. */
export async function expectDamaged(work: () => unknown, problem: RegExp, file = "made.file"): Promise<void> {
	const error = await failureOf(work);
	expect(error).toBeInstanceOf(SyncHumanError);
	expect((error as SyncHumanError).code).toBe("checkpoint");
	expect((error as SyncHumanError).message).toMatch(problem);
	expect((error as SyncHumanError).message).toContain(file);
}

/** What `work` throws or rejects with; undefined where it does neither. */
export async function failureOf(work: () => unknown): Promise<unknown> {
	try {
		await work();
		return undefined;
	} catch (error) {
		return error;
	}
}

/**
 * Cuts `valid` at 50 points: every cut must give an error that names the file. Then changes one to eight bytes 300 times: reading
 * may succeed or give such an error, and nothing else. Reads are counted, so that no length of a damaged file is believed.
 */
export async function expectToSurviveDamage(valid: Uint8Array, read: (source: ByteSource) => Promise<unknown>): Promise<void> {
	const name = "made.file";
	const wellBehaved = (error: unknown) => error instanceof SyncHumanError && error.code === "checkpoint" && error.message.startsWith(name);
	for (let cut = 0; cut < 50; cut++) {
		const length = Math.floor((valid.length * cut) / 50);
		const error = await failureOf(() => read(boundedSource(name, valid.slice(0, length))));
		if (!wellBehaved(error)) expect.fail(`cut to ${length} of ${valid.length} bytes: ${error}`);
	}
	const changes = fc.array(fc.tuple(fc.nat({ max: valid.length - 1 }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
	await fc.assert(
		fc.asyncProperty(changes, async (list) => {
			const bytes = valid.slice();
			for (const [at, value] of list) bytes[at] = value;
			const error = await failureOf(() => read(boundedSource(name, bytes)));
			return error === undefined || wellBehaved(error);
		}),
		{ numRuns: 300 },
	);
}

/** A source that fails the test where more is asked for than it has. */
function boundedSource(name: string, bytes: Uint8Array): ByteSource {
	const source = memoryByteSource(name, bytes);
	return {
		...source,
		read: async (offset, length) => {
			if (offset < 0 || offset + length > bytes.length) throw new Error(`read of ${length} bytes from ${offset}, outside the file`);
			return source.read(offset, length);
		},
	};
}

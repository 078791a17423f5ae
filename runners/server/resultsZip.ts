import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Zip, ZipPassThrough } from "fflate";

/** Bytes of `value` as results_metadata.json. */
export function metadataFile(value: unknown): Uint8Array {
	return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}

/**
 * A ZIP file of a job's folder as it is read: `files` under their own paths, and results_metadata.json. Stored, not compressed: pictures are
 * already. The stream errors where a file is gone in between.
 */
export function resultsZip(folder: string, files: readonly string[], metadata: Uint8Array): ReadableStream<Uint8Array> {
	async function* pieces(): AsyncGenerator<Uint8Array> {
		const made: Uint8Array[] = [];
		let failure: Error | undefined;
		const zip = new Zip((error, piece) => {
			if (error !== null) failure = error;
			else made.push(piece);
		});
		const taken = function* () {
			if (failure !== undefined) throw failure;
			while (made.length > 0) yield made.shift() as Uint8Array;
		};
		const begin = (name: string) => {
			const entry = new ZipPassThrough(name);
			// The same files give the same ZIP.
			entry.mtime = "1980-01-01T12:00:00";
			zip.add(entry);
			return entry;
		};
		for (const file of files) {
			const entry = begin(file);
			for await (const piece of createReadStream(join(folder, file), { highWaterMark: 2 ** 18 })) {
				entry.push(new Uint8Array(piece));
				yield* taken();
			}
			entry.push(new Uint8Array(0), true);
			yield* taken();
		}
		begin("results_metadata.json").push(metadata, true);
		zip.end();
		yield* taken();
	}
	const source = pieces();
	return new ReadableStream({
		async pull(controller) {
			const { done, value } = await source.next();
			if (done) controller.close();
			else controller.enqueue(value);
		},
		async cancel() {
			await source.return(undefined);
		},
	});
}

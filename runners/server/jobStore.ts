import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFiles } from "../writeFiles.ts";
import type { JobRecord } from "./jobRecord.ts";

/** Name of the picture as it was uploaded, in a job's folder; never given out. */
export const uploadName = "upload";

const recordName = "job.json";
const idPattern = /^[0-9a-f]{32}$/;
const namePattern = /^(?:[A-Za-z0-9][\w.-]*\/)?[A-Za-z0-9][\w.-]*$/;

/** True for what can be the name of a job: 32 hexadecimal digits, so never a path. */
export function isJobId(id: string): boolean {
	return idPattern.test(id);
}

/** True for what can be the name of a file of a job: never a path that leads out of its folder. */
export function isResultName(name: string): boolean {
	return namePattern.test(name);
}

/** Jobs on the disk: a folder each, named after its id, with job.json and the results. */
export interface JobStore {
	readonly folder: string;
	folderOf(id: string): string;
	/** Makes the folder of a new job, with its picture, and writes its record. */
	create(record: JobRecord, picture: Uint8Array | undefined): Promise<void>;
	/** Replaces the record; writes of one job never overtake each other. Throws code "disk". */
	save(record: JobRecord): Promise<void>;
	remove(id: string): Promise<void>;
	/** The result files of a job as they are now, and their bytes. */
	files(id: string): Promise<{ readonly files: readonly string[]; readonly byteLength: number }>;
	/** All records, oldest first; folders whose record cannot be read are left alone and named. */
	load(): Promise<{ readonly jobs: readonly JobRecord[]; readonly unreadable: readonly string[] }>;
}

/** Opens the folder, which is made where it is missing. Throws code "disk". */
export async function openJobStore(folder: string): Promise<JobStore> {
	await writeFiles(folder, []);
	const folderOf = (id: string) => {
		if (!isJobId(id)) throw new RangeError(`no job id: ${id}`);
		return join(folder, id);
	};
	const writes = new Map<string, Promise<void>>();
	const save = (record: JobRecord): Promise<void> => {
		const text = new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`);
		const before = writes.get(record.id) ?? Promise.resolve();
		const write = before.catch(() => undefined).then(() => writeFiles(folderOf(record.id), [[recordName, text]]));
		writes.set(record.id, write);
		const forget = () => {
			if (writes.get(record.id) === write) writes.delete(record.id);
		};
		write.then(forget, forget);
		return write;
	};
	return {
		folder,
		folderOf,
		save,
		async create(record, picture) {
			if (picture !== undefined) await writeFiles(folderOf(record.id), [[uploadName, picture]]);
			await save(record);
		},
		async remove(id) {
			await writes.get(id)?.catch(() => undefined);
			await rm(folderOf(id), { recursive: true, force: true });
		},
		async files(id) {
			const entries = await readdir(folderOf(id), { recursive: true, withFileTypes: true }).catch(() => []);
			const files: string[] = [];
			let byteLength = 0;
			for (const entry of entries) {
				if (!entry.isFile() || entry.name.startsWith(".")) continue;
				const path = join(entry.parentPath, entry.name);
				const name = path.slice(folderOf(id).length + 1).replaceAll("\\", "/");
				if (name === recordName) continue;
				byteLength += (await stat(path).catch(() => ({ size: 0 }))).size;
				if (name !== uploadName) files.push(name);
			}
			return { files: files.sort(), byteLength };
		},
		async load() {
			const jobs: JobRecord[] = [];
			const unreadable: string[] = [];
			for (const id of (await readdir(folder)).filter(isJobId)) {
				try {
					const found = JSON.parse(await readFile(join(folder, id, recordName), "utf8"));
					if (found?.id !== id || typeof found.status !== "string" || !Array.isArray(found.files)) throw new Error("no record");
					jobs.push(found);
				} catch {
					unreadable.push(id);
				}
			}
			return { jobs: jobs.sort((a, b) => a.createdAt.localeCompare(b.createdAt)), unreadable };
		},
	};
}

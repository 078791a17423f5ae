import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file of the page. */
export interface PageFile {
	readonly type: string;
	readonly bytes: Uint8Array<ArrayBuffer>;
}

const types: Readonly<Record<string, string>> = Object.freeze({
	html: "text/html; charset=utf-8",
	js: "text/javascript; charset=utf-8",
	css: "text/css; charset=utf-8",
	svg: "image/svg+xml",
	png: "image/png",
	wasm: "application/wasm",
});

/** The files of page/, by name: beside this file, or beside the bundle (runners/bundle.mjs copies them). */
export function readPages(folder = fileURLToPath(new URL("./page/", import.meta.url))): ReadonlyMap<string, PageFile> {
	const found = new Map<string, PageFile>();
	for (const name of readdirSync(folder)) {
		const type = types[name.slice(name.lastIndexOf(".") + 1)];
		if (type !== undefined) found.set(name, { type, bytes: new Uint8Array(readFileSync(join(folder, name))) });
	}
	return found;
}

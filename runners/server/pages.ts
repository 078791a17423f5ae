import { existsSync, readdirSync, readFileSync } from "node:fs";
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

/** Where runners/bundle.mjs puts the page: beside the bundle, which this file is part of or lies two folders below. */
const built = new URL(import.meta.url.endsWith(".ts") ? "../../dist/page/" : "./page/", import.meta.url);

/** The files of the page, by name; none where nothing was bundled yet. */
export function readPages(folder = fileURLToPath(built)): ReadonlyMap<string, PageFile> {
	const found = new Map<string, PageFile>();
	if (!existsSync(folder)) return found;
	for (const name of readdirSync(folder)) {
		const type = types[name.slice(name.lastIndexOf(".") + 1)];
		if (type !== undefined) found.set(name, { type, bytes: new Uint8Array(readFileSync(join(folder, name))) });
	}
	return found;
}

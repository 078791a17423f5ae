import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json: this file lies one below it, bundled (dist/) or not (runners/). */
export const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Which program it was. */
export interface BuildReport {
	readonly version: string;
	/** Of the checkout that was bundled, "+changes" where files differed from it; null where git did not know. */
	readonly commit: string | null;
	/** sha256 of the bundle, which holds all code and shaders but for packages; null where the sources run themselves. */
	readonly bundle: string | null;
}

/** What stands between the runtime and a program's path on a command line that starts this program again. */
export function runtimeArguments(): readonly string[] {
	return process.versions.deno === undefined ? process.execArgv : ["run", "-A"];
}

/** Version of package.json. */
export function packageVersion(): string {
	return JSON.parse(readFileSync(join(projectFolder, "package.json"), "utf8")).version;
}

/** What run.json says about the program. */
export function buildReport(): BuildReport {
	const bundle = join(projectFolder, "dist", "cli.js");
	const bundled = import.meta.url.endsWith(".js") && existsSync(bundle);
	return {
		version: packageVersion(),
		// Replaced by its value when bundled (bundle.mjs).
		commit: process.env.SYNCHUMAN_COMMIT ?? null,
		bundle: bundled ? createHash("sha256").update(readFileSync(bundle)).digest("hex") : null,
	};
}

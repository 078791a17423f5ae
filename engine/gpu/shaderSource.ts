import { readFileSync } from "node:fs";
import { SyncHumanError } from "../error.ts";

const embedded = new Map<string, string>();

/** Fills the map of shader texts; called once by a bundle's entry, where there is no shaders/ folder beside the code. */
export function registerShaders(texts: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(texts)) embedded.set(name, text);
}

/**
 * The WGSL text of `shaders/<name>.wgsl`, such as "dense/layerNorm". A line `// include "dense/matmulEpilogue"` stands for the text of
 * that shader: functions that several kernels share.
 */
export function loadShader(name: string): string {
	return textOf(name).replace(/^\/\/ include "([\w/]+)"$/gm, (_, included: string) => loadShader(included));
}

function textOf(name: string): string {
	let text = embedded.get(name);
	if (text === undefined) {
		try {
			text = readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), "utf8");
		} catch (cause) {
			throw new SyncHumanError("device", `shader ${name}: not found`, "The installation is incomplete: install the package again.", {
				cause,
			});
		}
		embedded.set(name, text);
	}
	return text;
}

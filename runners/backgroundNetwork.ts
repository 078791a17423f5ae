import { homedir } from "node:os";
import { join } from "node:path";
import { openU2netWeights, type U2netWeights } from "../engine/models/u2netWeights.ts";
import { directoryFolder } from "./files.ts";

/** Names under which the network is looked for in each folder; the first that exists counts. */
export const backgroundFileNames = [
	"u2net.onnx",
	"u2netp.onnx",
	"u2net.pth",
	"u2netp.pth",
	"u2net.safetensors",
	"u2netp.safetensors",
] as const;

/** A network that removes backgrounds, and its file. */
export interface BackgroundNetwork {
	readonly path: string;
	readonly byteLength: number;
	readonly weights: U2netWeights;
}

/**
 * The background remover in one of the weights folders (none for synthetic weights), in $U2NET_HOME, or in ~/.u2net where rembg keeps it;
 * undefined where none is there. Rejects with code "checkpoint" where a file of that name is none.
 */
export async function findBackgroundNetwork(
	weightsFolders: readonly string[],
	environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<BackgroundNetwork | undefined> {
	const folders = [...weightsFolders, environment.U2NET_HOME ?? join(environment.HOME ?? homedir(), ".u2net")];
	for (const folder of folders) {
		if (folder === "") continue;
		for (const name of backgroundFileNames) {
			const source = await directoryFolder(folder).open(name);
			if (source !== undefined) return { path: source.name, byteLength: source.byteLength, weights: await openU2netWeights(source) };
		}
	}
	return undefined;
}

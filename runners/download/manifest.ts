import manifest from "../../weights/manifest.json" with { type: "json" };
import { failed, fetchJson, type NetworkOptions } from "./network.ts";
import type { Expected } from "./transfer.ts";

/** Files that come from one place under one licence. */
export interface FileSet {
	readonly name: string;
	readonly what: string;
	/** As its authors state it, or "none stated". */
	readonly licence: string;
	/** What its user must know beyond the licence's name; may be empty. */
	readonly use: string;
	/** Files that must be there in the end. */
	readonly layout: readonly string[];
	/** Downloaded only where it is asked for by name. */
	readonly optional: boolean;
	/** Where it comes from, for people. */
	readonly source: string;
	/** Its files; asks the hub for the list of a repository. */
	list(network: NetworkOptions): Promise<readonly RemoteFile[]>;
}

/** A file to download. */
export interface RemoteFile {
	/** Inside the weights folder, with "/" as separator. */
	readonly name: string;
	readonly url: string;
	readonly expected: Expected;
	/** Commit of the repository that the list was made from. */
	readonly revision?: string | undefined;
}

/** Where the sets are looked for. */
export interface Origins {
	/** The hub; HF_ENDPOINT. */
	readonly hub: string;
	/** A base URL that has every file under its name inside the weights folder, in the place of all sources. */
	readonly mirror?: string | undefined;
}

interface HubEntry {
	readonly type?: unknown;
	readonly path?: unknown;
	readonly size?: unknown;
	readonly oid?: unknown;
	readonly lfs?: { readonly oid?: unknown; readonly size?: unknown };
}

/** The sets of weights/manifest.json. */
export function fileSets({ hub, mirror }: Origins): readonly FileSet[] {
	return manifest.sets.map((set) => {
		const { name, what, licence, use, layout, folder, repository, revision = "main", include = [], optional = false } = set;
		const place = (file: string) => (folder === "" ? file : `${folder}/${file}`);
		const files = (set.files ?? []).map(({ file, url, md5 }: { file: string; url: string; md5?: string }) => ({
			name: place(file),
			url: mirror === undefined ? url : join(mirror, place(file)),
			expected: { md5 },
		}));
		const sources = [...(repository === undefined ? [] : [`${hub}/${repository}`]), ...files.map(({ url }) => url)];
		return {
			...{ name, what, licence, use, layout, optional },
			source: repository !== undefined && mirror !== undefined ? mirror : sources.join(" "),
			async list(network: NetworkOptions) {
				if (repository === undefined) return files;
				const listed =
					mirror === undefined
						? await listRepository({ hub, repository, revision, include }, network)
						: await listMirror(folder === "" ? mirror : join(mirror, folder), repository, include, network);
				return [...listed.map((file) => ({ ...file, name: place(file.name) })), ...files];
			},
		};
	});
}

async function listRepository(
	from: { readonly hub: string; readonly repository: string; readonly revision: string; readonly include: readonly string[] },
	network: NetworkOptions,
): Promise<readonly RemoteFile[]> {
	const { hub, repository, revision } = from;
	const about = (await fetchJson(`${hub}/api/models/${repository}/revision/${revision}`, network)) as { readonly sha?: unknown };
	// Everything of one commit, also when the repository changes meanwhile.
	const commit = typeof about.sha === "string" && /^[0-9a-f]{7,64}$/.test(about.sha) ? about.sha : revision;
	const url = `${hub}/api/models/${repository}/tree/${commit}?recursive=true`;
	return remoteFiles(url, await fetchJson(url, network), from.include, (path) => `${hub}/${repository}/resolve/${commit}/${path}`, commit);
}

/** A mirror has the hub's list of the repository as tree.json beside the files. */
async function listMirror(
	mirror: string,
	repository: string,
	include: readonly string[],
	network: NetworkOptions,
): Promise<readonly RemoteFile[]> {
	const url = join(mirror, "tree.json");
	const hint = `A mirror needs tree.json: what https://huggingface.co/api/models/${repository}/tree/main?recursive=true gives.`;
	const list = await fetchJson(url, network).catch((error: Error) => {
		throw failed(url, error.message, hint);
	});
	return remoteFiles(url, list, include, (path) => join(mirror, path), undefined);
}

function remoteFiles(
	url: string,
	list: unknown,
	include: readonly string[],
	urlOf: (path: string) => string,
	revision: string | undefined,
): readonly RemoteFile[] {
	const wrong = (problem: string) => failed(url, problem, "Check HF_ENDPOINT or --mirror.");
	if (!Array.isArray(list)) throw wrong("is not a list of files");
	const files = (list as readonly HubEntry[]).flatMap(({ type, path, size, oid, lfs }): RemoteFile[] => {
		if (type !== "file" || typeof path !== "string" || !include.some((folder) => path.startsWith(folder))) return [];
		// A hub could name files outside of the folder.
		if (!/^[\w.-]+(?:\/[\w.-]+)*$/.test(path) || path.split("/").includes("..")) throw wrong(`lists the file ${JSON.stringify(path)}`);
		const sha256 = typeof lfs?.oid === "string" ? lfs.oid.replace(/^sha256:/, "") : undefined;
		const byteLength = typeof lfs?.size === "number" ? lfs.size : size;
		if (typeof byteLength !== "number" || !Number.isSafeInteger(byteLength) || byteLength < 0) throw wrong(`gives no size for ${path}`);
		const gitSha1 = sha256 === undefined && typeof oid === "string" && /^[0-9a-f]{40}$/.test(oid) ? oid : undefined;
		return [
			{ name: path, url: urlOf(path.split("/").map(encodeURIComponent).join("/")), expected: { byteLength, sha256, gitSha1 }, revision },
		];
	});
	if (files.length === 0) throw wrong(`lists no file under ${include.join(", ")}`);
	return files;
}

function join(base: string, name: string): string {
	return `${base.replace(/\/+$/, "")}/${name}`;
}

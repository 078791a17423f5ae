import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * The files that `source` is made of, relative to the project: itself, what it imports over any number of steps, and every shader whose
 * path under shaders/ stands as a string in one of them (in a shader: what it includes).
 */
export function importClosure(project: string, source: string): Set<string> {
	const found = new Set<string>();
	const visit = (file: string) => {
		const name = relative(project, file).replaceAll("\\", "/");
		if (found.has(name) || !existsSync(file)) return;
		found.add(name);
		const text = readFileSync(file, "utf8");
		for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) visit(join(dirname(file), path));
		for (const [, shader] of text.matchAll(/"([A-Za-z][\w/]*)"/g)) {
			visit(join(project, "shaders", `${shader}.wgsl`));
		}
	};
	visit(join(project, source));
	return found;
}

/** Files that differ from the last commit but one, or are not committed, relative to the project. */
export function changedFiles(project: string): Set<string> {
	const git = (...parameters: string[]) => execFileSync("git", parameters, { cwd: project, encoding: "utf8" }).split("\n");
	const before =
		git("rev-list", "--max-count=2", "HEAD")
			.filter((line) => line !== "")
			.at(-1) ?? "HEAD";
	return new Set(
		[...git("diff", "--name-only", before), ...git("ls-files", "--others", "--exclude-standard")].filter((line) => line !== ""),
	);
}

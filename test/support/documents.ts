import { readdirSync, readFileSync } from "node:fs";

/** README and the pages of docs/. */
export const documents: readonly string[] = [
	"README.md",
	...readdirSync("docs")
		.filter((name) => name.endsWith(".md"))
		.sort()
		.map((name) => `docs/${name}`),
];

/** A block of commands of a document. */
export interface DocumentedBlock {
	readonly file: string;
	readonly text: string;
	/** What follows "# Needs " in its first line: it is not run by the tests. Undefined: it is. */
	readonly needs: string | undefined;
	/** Its commands, comments and continued lines taken out. */
	readonly commands: readonly string[];
}

/** The blocks of commands of a document, in its order. */
export function documentedBlocks(file: string): readonly DocumentedBlock[] {
	return [...readFileSync(file, "utf8").matchAll(/^```(?:sh|powershell)\n([\s\S]*?)^```/gm)].map(([, text]) => ({
		file,
		text,
		needs: /^# Needs (.*)/.exec(text)?.[1],
		commands: text
			.replaceAll(/\\\n\s*/g, "")
			.split("\n")
			.map((line) => line.replace(/(^|\s)#.*$/, "").trim())
			.filter((line) => line !== ""),
	}));
}

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { generateArguments, helpText, parseCommandLine } from "../runners/arguments.ts";

// Every line `synchuman ...` in the code blocks of README and docs/ is one that the program takes.

const files = [
	"README.md",
	...readdirSync("docs")
		.filter((name) => name.endsWith(".md"))
		.map((name) => `docs/${name}`),
];

const lines = files.flatMap((file) =>
	[...readFileSync(file, "utf8").matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
		block
			.replaceAll("\\\n", " ")
			.split("\n")
			.map((line) => /^(?:npx )?synchuman (.*)$/.exec(line.replace(/\s#.*$/, "").trim())?.[1])
			.filter((line) => line !== undefined)
			.map((line) => ({ file, line })),
	),
);

it("README and docs have commands", () => expect(lines.length).toBeGreaterThan(5));

it.each(lines)("$file: synchuman $line", ({ line }) => {
	const parsed = parseCommandLine(line.split(/\s+/));
	expect(helpText).toContain(`synchuman ${parsed.command}`);
	if (parsed.command === "generate") generateArguments(parsed);
});

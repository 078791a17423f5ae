/** The text of one file of apt's sources: a one-line list or deb822 stanzas. */
export interface AptSourceFile {
	readonly name: string;
	readonly text: string;
}

/**
 * The entries of `files` that serve one release of a distribution, verbatim (so mirrors, keys and options stay as the machine has
 * them), and a copy of each entry of the release proper for `extraSuite`. Other people's repositories are left out, unless they
 * name their suite like the distribution's. The result is written as files of a private sources.list.d.
 */
export function releaseSources(files: readonly AptSourceFile[], codename: string, extraSuite?: string): readonly AptSourceFile[] {
	const lines: string[] = [];
	const stanzas: string[] = [];
	for (const file of files) {
		const entries = file.name.endsWith(".sources") ? stanzasOf(file.text) : linesOf(file.text);
		const into = file.name.endsWith(".sources") ? stanzas : lines;
		for (const entry of entries) {
			if (!entry.suites.some((suite) => suite === codename || suite.startsWith(`${codename}-`))) continue;
			into.push(entry.text);
			if (extraSuite !== undefined && entry.suites.includes(codename)) into.push(entry.withSuite(extraSuite));
		}
	}
	const distinct = (entries: readonly string[]) => [...new Set(entries)];
	return [
		{ name: "release.list", text: `${distinct(lines).join("\n")}\n` },
		{ name: "release.sources", text: `${distinct(stanzas).join("\n\n")}\n` },
	];
}

interface Entry {
	readonly text: string;
	readonly suites: readonly string[];
	/** The same entry for another suite. */
	withSuite(suite: string): string;
}

/** deb822: stanzas parted by empty lines; a field's continuation lines begin with a blank. */
function stanzasOf(text: string): readonly Entry[] {
	const entries: Entry[] = [];
	for (const block of text.split(/\n[ \t]*\n/)) {
		const stanza = block
			.split("\n")
			.filter((line) => line !== "" && !line.startsWith("#"))
			.join("\n");
		const field = (name: string) => new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1].trim().split(/\s+/) ?? [];
		const off = /^(no|false|0|off|without|disable)$/i.test(field("Enabled")[0] ?? "yes");
		if (off || !field("Types").includes("deb")) continue;
		entries.push({
			text: stanza,
			suites: field("Suites"),
			withSuite: (suite) => stanza.replace(/^Suites:.*(?:\n[ \t].*)*/im, `Suites: ${suite}`),
		});
	}
	return entries;
}

/** `deb [options] URI suite component...`, one a line. */
function linesOf(text: string): readonly Entry[] {
	const entries: Entry[] = [];
	for (const line of text.split("\n")) {
		const parts = /^\s*(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)(\s+[^#]*)?/.exec(line);
		if (parts === null) continue;
		const [, before, suite, after = ""] = parts;
		entries.push({
			text: `${before}${suite}${after}`.trimEnd(),
			suites: [suite],
			withSuite: (other) => `${before}${other}${after}`.trimEnd(),
		});
	}
	return entries;
}

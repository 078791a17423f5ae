import { describe, expect, it } from "vitest";
import { releaseSources } from "../../runners/aptSources.ts";

const key = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg";

function of(files: Readonly<Record<string, string>>, extra: string | undefined = "bookworm-backports"): readonly string[] {
	return releaseSources(
		Object.entries(files).map(([name, text]) => ({ name, text })),
		"bookworm",
		extra,
	).map(({ text }) => text.trim());
}

describe("releaseSources", () => {
	it("keeps deb822 stanzas of the release and copies the release proper for the extra suite", () => {
		const main = `Types: deb\n# a snapshot\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n${key}\n`;
		const security = `Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n${key}\n`;
		const [lines, stanzas] = of({ "debian.sources": `${main}\n${security}` });
		expect(lines).toBe("");
		expect(stanzas.split("\n\n")).toEqual([
			`Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n${key}`,
			`Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n${key}`,
			`Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n${key}`,
		]);
	});

	it("keeps one-line entries with their options", () => {
		const [lines] = of({
			"/etc/apt/sources.list":
				"# deb http://mirror.example/debian bookworm main\n" +
				"deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # the mirror\n" +
				"deb-src http://mirror.example/debian bookworm main\n\tdeb http://mirror.example/debian bookworm-updates main\n",
		});
		expect(lines.split("\n")).toEqual([
			"deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib",
			"deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm-backports main contrib",
			"deb http://mirror.example/debian bookworm-updates main",
		]);
	});

	it("leaves out other suites, disabled stanzas and source-only ones", () => {
		expect(
			of({
				"other.list": "deb http://packages.example/node nodistro main\n",
				"off.sources": `Types: deb\nEnabled: no\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n`,
				"src.sources": `Types: deb-src\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n`,
				"third.sources": `Types: deb\nURIs: http://a.example\nSuites: trixie\nComponents: main\n`,
			}),
		).toEqual(["", ""]);
	});

	it("adds no extra suite where none is asked, and the same entry once", () => {
		const line = "deb http://mirror.example/debian bookworm main\n";
		const [lines] = releaseSources([{ name: "a.list", text: line + line }], "bookworm");
		expect(lines.text).toBe(line);
		expect(of({ "a.list": `${line}deb http://mirror.example/debian bookworm-backports main\n` })[0].split("\n")).toHaveLength(2);
	});

	it("keeps a key that stands in the stanza", () => {
		const inline = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----";
		const [, stanzas] = of({
			"a.sources": `Types: deb\nURIs: http://a.example\nSuites:\n bookworm\n bookworm-updates\nComponents: main\n${inline}\n`,
		});
		expect(stanzas.split("\n\n")[1]).toBe(`Types: deb\nURIs: http://a.example\nSuites: bookworm-backports\nComponents: main\n${inline}`);
	});
});

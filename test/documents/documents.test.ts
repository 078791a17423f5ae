import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { defaults } from "../../engine/defaults.ts";
import { generateArguments, helpText, parseCommandLine } from "../../runners/arguments.ts";
import { benchHelp } from "../../runners/bench/arguments.ts";
import { advice } from "../../runners/doctor/advice.ts";
import { openApi } from "../../runners/server/openapi.ts";
import { serverHelp } from "../../runners/serverArguments.ts";
import manifest from "../../weights/manifest.json" with { type: "json" };
import { documentedBlocks, documents } from "../support/documents.ts";

// README and docs/ say what holds: commands that the program takes, options that it has, links that lead somewhere. commands.test.ts runs what can be run.

const blocks = documents.flatMap(documentedBlocks);
const lines = blocks.flatMap(({ file, commands }) =>
	commands.flatMap((command) => {
		const line = /(?:^|\s|npx )synchuman (\S.*)$/.exec(command)?.[1];
		return line === undefined || command.startsWith("git ") ? [] : [{ file, line }];
	}),
);

it("README and docs have commands", () => expect(lines.length).toBeGreaterThan(20));

it.each(lines)("$file: synchuman $line", ({ line }) => {
	if (line === "--version") return;
	const parsed = parseCommandLine(line.split(/\s+/));
	expect(helpText).toContain(`synchuman ${parsed.command}`);
	if (parsed.command === "generate") generateArguments(parsed);
});

it("what the tests do not run is this, and no more", () => {
	const left = blocks.filter(({ needs }) => needs !== undefined);
	const told = left.map(
		({ file, needs, commands }) => `${file}, ${needs}: ${commands[0].split(" ").slice(0, 4).join(" ")} (${commands.length})`,
	);
	expect(told).toEqual([
		"README.md, the network, once: npm ci && npm (2)",
		"README.md, the network: npx synchuman download (1)",
		"docs/deno.md, a GPU: deno task bench (1)",
		"docs/install.md, the network: git clone URL synchuman-webgpu (3)",
		"docs/install.md, the network: npm pack (4)",
		"docs/install.md, root: curl -fsSL https://deb.nodesource.com/setup_24.x | (3)",
		"docs/install.md, root: sudo apt-get install -y (4)",
		"docs/install.md, root: sudo dnf install nodejs (3)",
		"docs/install.md, macOS: brew install node (2)",
		"docs/install.md, Windows: winget install --id OpenJS.NodeJS.LTS (2)",
		"docs/install.md, the network: npx synchuman download (3)",
		"docs/numerics.md, the recordings: npm run parity -- (2)",
		"docs/pshuman.md, PSHuman's weights: npx synchuman pshuman photo.png (2)",
		"docs/queue.md, Redis, three terminals and the weights: redis-server --appendonly yes (3)",
		"docs/tuning.md, a GPU: npm run bench (3)",
	]);
});

it("every option is documented, and every documented option is one", () => {
	const text = documents.map((file) => readFileSync(file, "utf8")).join("\n");
	const named = (from: string) => new Set([...from.matchAll(/(?<![\w-])--([a-z][a-z0-9-]+)/g)].map(([, name]) => name));
	const documented = named(text);
	const known = named(`${helpText}\n${benchHelp}`);
	expect([...named(helpText)].filter((name) => !documented.has(name))).toEqual([]);
	// Of apt-get, dnf, softwareupdate, winget, docker, redis-server, curl and npm run parity.
	const others = ["all", "appendonly", "gpus", "id", "install", "output", "prompt-embeds"];
	expect([...documented].filter((name) => !known.has(name) && !others.includes(name))).toEqual([]);
});

it("links lead to files", () => {
	const links = documents.flatMap((file) =>
		[...readFileSync(file, "utf8").matchAll(/\]\(([^)\s]+)\)/g)]
			.map(([, link]) => ({ file, link }))
			.filter(({ link }) => !/^[a-z]+:/.test(link)),
	);
	expect(links.length).toBeGreaterThan(20);
	for (const { file, link } of links) {
		const [path, anchor] = link.split("#");
		const target = path === "" ? file : join(dirname(file), path);
		expect(existsSync(target), `${file}: ${link}`).toBe(true);
		if (anchor === undefined) continue;
		const anchors = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
			title
				.toLowerCase()
				.replaceAll(/[^\w\s-]/g, "")
				.replaceAll(" ", "-"),
		);
		expect(anchors, `${file}: ${link}`).toContain(anchor);
	}
});

it("docs/server.md has every path and every field of the interface, and every option of serve", () => {
	const page = readFileSync("docs/server.md", "utf8");
	const { paths } = openApi();
	const fields = paths["/generate"].post.requestBody.content["multipart/form-data"].schema.properties;
	const accepted = ["stage1_only", "graceful_fallback"];
	for (const field of Object.keys(fields).filter((name) => !accepted.includes(name))) expect(page).toContain(`\`${field}`);
	const listings = ["/jobs/{id}/stage1", "/jobs/{id}/stage2"];
	for (const path of Object.keys(paths).filter((name) => !listings.includes(name))) {
		expect(page).toContain(path.replace("{id}", "ID").replace("{file}", "FILE"));
	}
	const options = [...serverHelp.split("\nworker:")[0].matchAll(/^ {2}--.*$/gm)].flatMap(([line]) => line.match(/--[a-z-]+/g) ?? []);
	expect(options.length).toBeGreaterThan(12);
	for (const option of options) expect(page).toContain(`\`${option}\``);
});

it("docs/first-model.md has the steps of the presets", () => {
	const { quick, balanced, high } = defaults.presets;
	const [first, second, third] = [quick, balanced, high].map(({ steps, stageTwoSteps }) => `${steps}/${stageTwoSteps}`);
	expect(readFileSync("docs/first-model.md", "utf8")).toContain(`${first}, ${second} (the default), ${third} steps`);
});

it("docs/install.md has the doctor's commands", () => {
	const page = readFileSync("docs/install.md", "utf8");
	for (const commands of [advice.node, advice.driver]) {
		for (const command of Object.values(commands).flat()) expect(page).toContain(command);
	}
});

it("docs/licences.md has the licence of every file that is downloaded, as its manifest has it", () => {
	const page = readFileSync("docs/licences.md", "utf8");
	for (const { layout, licence } of manifest.sets) {
		const name = layout[0].split("/")[0];
		const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(name));
		expect(row, name).toMatch(new RegExp(`\\| ${licence} \\|$`));
	}
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CommandEnd, DocumentedShell } from "./documentedCommands.ts";
import { documentedBlocks } from "./documents.ts";

/** Tests that run every command of a document which needs nothing that the tests do not have. `check` looks at what it gave. */
export function documentTests(
	file: string,
	shell: () => DocumentedShell,
	check: (command: string, ended: CommandEnd) => void | Promise<void>,
): void {
	const commands = documentedBlocks(file).flatMap(({ needs, commands }) => (needs === undefined ? commands : []));
	if (commands.length === 0) return;
	describe(file, () => {
		it.for(commands)("%s", { timeout: 900_000 }, async (command, { skip }) => {
			if (/^curl\b/.test(command) && !shell().hasCurl) skip("no curl");
			const ended = await shell().run(command);
			if (ended === undefined) return;
			expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
			for (const [, output] of command.matchAll(/ (?:-o|--output) (\S+)/g)) {
				expect(existsSync(join(shell().folder, output)), output).toBe(true);
			}
			await check(command, ended);
		});
		it("leaves no server", { timeout: 100_000 }, async () => expect([0, undefined]).toContain(await shell().end()));
	});
}

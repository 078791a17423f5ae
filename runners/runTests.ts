import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { exitStatus, SyncHumanError } from "../engine/error.ts";
import { withDriver } from "./driverFetcher.ts";

// `npm test`: vitest with the given arguments, on a machine with a Vulkan driver or without one.

function vitest(): Promise<number> {
	const packageFile = createRequire(import.meta.url).resolve("vitest/package.json");
	const program = join(dirname(packageFile), "vitest.mjs");
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [program, "run", ...process.argv.slice(2)], { stdio: "inherit" });
		child.on("error", reject);
		child.on("exit", (code) => resolve(code ?? 1));
	});
}

try {
	process.exitCode = await withDriver(vitest);
} catch (error) {
	if (!(error instanceof SyncHumanError)) throw error;
	process.stderr.write(`synchuman: ${error.message} ${error.hint ?? ""}\n`);
	process.exitCode = exitStatus[error.code];
}

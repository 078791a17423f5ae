// Writes the types of the package's entrance to dist/types: one declaration file a module, and of these only what the entrance reaches.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const types = join(project, "dist", "types");
rmSync(types, { recursive: true, force: true });

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const choices = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--noCheck", "--rootDir", project, "--outDir", types];
const ran = spawnSync(process.execPath, [compiler, "-p", join(project, "tsconfig.json"), ...choices], { encoding: "utf8" });
if (ran.status !== 0) throw new Error(`tsc: ${ran.stdout}${ran.stderr}`);

const reached = new Set();
const waiting = [join(types, "runners", "library.d.ts")];
for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
	if (reached.has(file)) continue;
	reached.add(file);
	for (const [, name] of readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g))
		waiting.push(resolve(dirname(file), `${name}.d.ts`));
}
for (const name of readdirSync(types, { recursive: true })) {
	const path = join(types, name);
	if (path.endsWith(".d.ts") && !reached.has(path)) rmSync(path);
}
for (const name of readdirSync(types, { recursive: true }).sort().reverse()) {
	const path = join(types, name);
	if (existsSync(path) && !path.endsWith(".d.ts") && readdirSync(path).length === 0) rmSync(path, { recursive: true });
}

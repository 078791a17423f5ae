import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";

const rooms = ["gpu", "graph", "kernels", "layers", "models", "samplers", "random", "image", "mesh", "reconstruct", "splat", "stages"];

/** What each room of engine/ may import besides itself: the table of docs/design.md, written a second time on purpose. */
const allowed: Readonly<Record<string, readonly string[]>> = {
	gpu: [],
	graph: ["gpu"],
	kernels: ["gpu", "graph"],
	layers: ["gpu", "graph", "kernels", "weights"],
	models: ["gpu", "graph", "kernels", "layers", "weights"],
	samplers: ["gpu", "graph", "kernels"],
	random: ["gpu", "graph", "kernels"],
	image: [],
	mesh: ["gpu", "graph", "kernels"],
	reconstruct: ["gpu", "graph", "kernels", "mesh"],
	splat: ["gpu", "graph", "kernels"],
	stages: [...rooms.filter((room) => room !== "stages"), "weights"],
};

interface Case {
	readonly file: string;
	readonly code: string;
	readonly refused: boolean;
}

const named = (from: string) => `import { x } from "${from}";\nexport const y = x;\n`;

function cases(): readonly Case[] {
	const list: Case[] = [];
	const add = (folder: string, code: string, refused: boolean) => list.push({ file: `${folder}/made${list.length}.ts`, code, refused });
	for (const room of rooms) {
		const inside = room === "kernels" ? "engine/kernels/dense" : `engine/${room}`;
		const up = room === "kernels" ? "../.." : "..";
		for (const to of [...rooms, "weights"])
			if (to !== room) add(inside, named(to === "weights" ? `${up}/../weights/x.ts` : `${up}/${to}/x.ts`), !allowed[room].includes(to));
		add(inside, named("./x.ts"), false);
		add(inside, named(`${up}/error.ts`), false);
		for (const foreign of ["webgpu", "sharp", "node:fs", `${up}/../runners/x.ts`, `${up}/../test/support/x.ts`, `${up}/synchuman.ts`])
			add(inside, named(foreign), true);
	}
	add("engine/kernels/dense", named("../sparse/x.ts"), false);
	add("engine/gpu", `import type { X } from "../models/x.ts";\nexport type Y = X;\n`, true);
	add("engine/gpu", `export type Y = import("../models/x.ts").X;\n`, true);
	add("engine/gpu", `export const y = import("../models/x.ts");\n`, true);
	add("engine/gpu", `export { x } from "../models/x.ts";\n`, true);
	add("weights", named("../engine/gpu/tensor.ts"), false);
	add("weights", named("../engine/random/x.ts"), false);
	add("weights", named("../engine/gpu/device.ts"), true);
	add("weights", named("../engine/models/x.ts"), true);
	add("weights", named("node:fs"), true);
	add("runners", named("../engine/synchuman.ts"), false);
	add("runners", named("../test/support/x.ts"), true);
	// The page runs in browsers.
	for (const own of ["./x.ts", "three", "three/addons/x.js", "../../../engine/defaults.ts", "../../../engine/mesh/readPly.ts"])
		add("runners/server/page", named(own), false);
	for (const foreign of [
		"node:fs",
		"sharp",
		"../app.ts",
		"../../files.ts",
		"../../../engine/synchuman.ts",
		"../../../engine/gpu/device.ts",
	])
		add("runners/server/page", named(foreign), true);
	return list;
}

it("imports.grit refuses exactly the imports that leave a room against the arrows", () => {
	const folder = mkdtempSync(join(tmpdir(), "synchuman-imports-"));
	try {
		for (const name of ["biome.json", "imports.grit"]) copyFileSync(name, join(folder, name));
		const list = cases();
		for (const { file, code } of list) {
			mkdirSync(dirname(join(folder, file)), { recursive: true });
			writeFileSync(join(folder, file), code);
		}
		const run = spawnSync(resolve("node_modules/.bin/biome"), ["lint", "--reporter=github", "--max-diagnostics=none"], {
			cwd: folder,
			encoding: "utf8",
		});
		const said = run.stdout + run.stderr;
		const refused = (file: string) => said.split("\n").some((line) => line.includes(`${file},`) && line.includes("This room may not"));
		const wrong = list.filter((one) => refused(one.file) !== one.refused).map(({ file, code }) => `${file}: ${code.split("\n")[0]}`);
		expect(wrong, said.slice(0, 2000)).toEqual([]);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

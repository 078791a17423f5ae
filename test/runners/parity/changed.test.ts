import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { importClosure } from "../../../runners/parity/changed.ts";

test("importClosure: what an adapter is made of, shaders included", () => {
	const image = importClosure(".", "runners/parity/adapters/image.ts");
	expect(image).toContain("runners/parity/adapters/image.ts");
	expect(image).toContain("engine/image/pillowResize.ts");
	expect(image).toContain("engine/error.ts");
	expect([...image].some((file) => file.startsWith("shaders/"))).toBe(false);
	const mesh = importClosure(".", "runners/parity/adapters/mesh.ts");
	expect(mesh).toContain("shaders/mesh/deformedVertices.wgsl");
	expect([...mesh, ...image].every((file) => existsSync(file))).toBe(true);
});

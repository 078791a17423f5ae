import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { TorchCpuGenerator } from "../../engine/random/mt19937.ts";

const sum = (values: Float32Array) => createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex");

// Expected values: torch 2.11 (goldens stage1/rng) and 1.13 on CPUs with AVX2.
describe("TorchCpuGenerator", () => {
	test("the structure latent of seed 43, bit for bit", () => {
		const values = new TorchCpuGenerator(43).normals(8 * 16 ** 3);
		expect(sum(values)).toBe("ceedcda61efa7b71d7ea05be63f4379e3ff1eb6963bcd2497a4fb075d396ab9a");
		expect([...values.slice(-4)]).toEqual([-0.7578639984130859, -0.6842231750488281, -1.1248772144317627, -0.7568607926368713]);
	});

	test("a second draw continues the sequence", () => {
		const generator = new TorchCpuGenerator(43);
		expect(sum(generator.normals(10 * 1024))).toBe("623ab57b6214bc7485baa8086c9cac74ff111c10c4f20b543c5b2916e6293820");
		expect(sum(generator.normals(10 * 4 * 96 * 96))).toBe("d98f40132f57926abb51165f5c725e4f615d316474ac6fd1e4a2a93f761597c5");
	});

	test("fewer than 16 values come from doubles", () => {
		expect(sum(new TorchCpuGenerator(43).normals(7))).toBe("ea035ffe93474f334c93b90563526c58430752d70cb185efababf97c4ab94945");
	});

	test("uniforms", () => {
		expect(sum(new TorchCpuGenerator(43).uniforms(64))).toBe("dc623e70f7303c6a02998591c560711b719706e51e966e7f2cf7d2962ff528a0");
	});

	test("mixed draws: 7, 20, 3 and 5 normals, then 3 uniforms of seed 2^32 + 5", () => {
		const generator = new TorchCpuGenerator(2 ** 32 + 5);
		const drawn = [7, 20, 3, 5].map((count) => generator.normals(count));
		expect(drawn.map((values) => values[values.length - 1])).toEqual(mixed.normals);
		expect([...generator.uniforms(3)]).toEqual(mixed.uniforms);
	});
});

const mixed = {
	normals: [-1.4017020463943481, 0.4313727617263794, 0.4698884189128876, -0.2017124444246292],
	uniforms: [0.8708713054656982, 0.17600136995315552, 0.8816927671432495],
};

import { describe, expect, it } from "vitest";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { readOnnx } from "../../weights/onnx.ts";
import { expectDamaged, expectToSurviveDamage } from "../support/hostile.ts";
import { tinyU2net, u2netOnnx } from "../support/u2netFiles.ts";

const state = tinyU2net();
const read = (bytes: Uint8Array) => readOnnx(memoryByteSource("made.file", bytes));

describe("readOnnx", () => {
	it("reads nodes with their attributes, and places of tensors", async () => {
		const graph = await read(u2netOnnx(state, { opset: 12 }));
		expect(graph.opset).toBe(12);
		expect(graph.nodes.filter(({ op }) => op === "Conv").length).toBe(119);
		expect(graph.nodes[0].inputs).toEqual(["input", "stage1.rebnconvin.conv_s1.weight", "stage1.rebnconvin.conv_s1.bias"]);
		expect(graph.nodes[0].attributes.get("pads")).toEqual({ ints: [1, 1, 1, 1] });
		expect(graph.nodes[1].attributes.get("epsilon")?.float).toBeCloseTo(1e-5, 9);
		expect(graph.nodes.at(-1)?.attributes.get("mode")).toEqual({ text: "linear" });
		const tensor = graph.initializers.get("side2.weight");
		expect(tensor?.shape).toEqual([1, 4, 3, 3]);
		expect(await tensor?.read()).toEqual(state.get("side2.weight"));
	});

	it("survives damage: an error that names the file, or a graph; never a read outside of it", async () => {
		await expectToSurviveDamage(u2netOnnx(state, { missing: 110 }), async (source) => {
			const graph = await readOnnx(source);
			for (const tensor of graph.initializers.values()) await tensor.read();
		});
	});

	it("refuses lengths that no file has", async () => {
		// graph of 2^63 bytes; a graph that holds an initializer longer than itself; dims of 2^62; a varint without end.
		await expectDamaged(() => read(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)), /does not fit its message/);
		await expectDamaged(() => read(Uint8Array.of(0x3a, 2, 0x2a, 0x70, 1, 1)), /does not fit its message/);
		const huge = [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
		await expectDamaged(() => read(Uint8Array.of(0x3a, 2 + huge.length, 0x2a, huge.length, ...huge)), /whole numbers|more than any file/);
		await expectDamaged(() => read(new Uint8Array(40).fill(0xff)), /does not fit its message/);
		await expectDamaged(() => read(new TextEncoder().encode("<html>not found</html>")), /made.file/);
	});
});

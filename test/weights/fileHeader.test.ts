import { describe, expect, it } from "vitest";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { readFileHeader } from "../../weights/fileHeader.ts";
import { expectDamaged } from "../support/hostile.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("readFileHeader", () => {
	it("is a safetensors file without its data", async () => {
		const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
		const file = new Uint8Array(8 + header.length + 4).fill(7);
		new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
		file.set(new TextEncoder().encode(header), 8);
		const source = memoryByteSource("a.safetensors", file);
		expect(textOf(await readFileHeader(source)).slice(8)).toBe(header);
		await expectDamaged(
			() => readFileHeader(memoryByteSource("a.safetensors", file.subarray(0, 40))),
			/ends inside the header/,
			"a.safetensors",
		);
	});

	it("is a whole config, and of anything else the first MiB", async () => {
		expect(textOf(await readFileHeader(memoryByteSource("config.json", new TextEncoder().encode("{}"))))).toBe("{}");
		expect(await readFileHeader(memoryByteSource("large.bin", new Uint8Array(2 ** 20 + 1)))).toHaveLength(2 ** 20);
	});
});

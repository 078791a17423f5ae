import { describe, expect, test } from "vitest";
import { type ConfigReader, createConfigReader } from "../../weights/configReader.ts";
import { isJsonObject, parseStrictJson } from "../../weights/strictJson.ts";
import { expectDamaged } from "../support/hostile.ts";

function reader(value: unknown): ConfigReader {
	const parsed = parseStrictJson(JSON.stringify(value), "made.file");
	if (!isJsonObject(parsed)) throw new Error("not an object");
	return createConfigReader(parsed, "made.file");
}

const config = reader({
	width: 320,
	eps: 1e-5,
	flag: false,
	act: "silu",
	widths: [320, 640],
	mean: [-2.5, 0.25],
	types: ["a", "b"],
	nothing: null,
	args: { depth: 24, inner: { x: "1" } },
});

describe("ConfigReader", () => {
	test("reads what is there, and the fallback where nothing or null is", () => {
		expect([config.integer("width"), config.integer("absent", { fallback: 7 }), config.integer("nothing", { fallback: 8 })]).toEqual([
			320, 7, 8,
		]);
		expect([config.number("eps"), config.number("absent", { fallback: 0.5 })]).toEqual([1e-5, 0.5]);
		expect([config.boolean("flag"), config.boolean("absent", true)]).toEqual([false, true]);
		expect([config.string("act", { allowed: ["silu", "gelu"] }), config.string("absent", { fallback: "x" })]).toEqual(["silu", "x"]);
		expect([config.integers("widths", { length: 2 }), config.integers("absent", { fallback: [1] })]).toEqual([[320, 640], [1]]);
		expect([config.numbers("mean"), config.strings("types")]).toEqual([
			[-2.5, 0.25],
			["a", "b"],
		]);
		expect([config.has("width"), config.has("nothing"), config.has("absent")]).toEqual([true, false, false]);
		expect(config.object("args").integer("depth")).toBe(24);
		expect([config.object("args").keys(), config.object("args").place]).toEqual([["depth", "inner"], "made.file: args"]);
	});

	test.each<[(config: ConfigReader) => unknown, RegExp]>([
		[(c) => c.integer("absent"), /made.file: absent is missing; it must be a whole number from 0 to 65536/],
		[(c) => c.integer("nothing"), /nothing is missing/],
		[(c) => c.integer("eps"), /eps must be a whole number .*, got 0.00001/],
		[(c) => c.integer("width", { max: 256 }), /width must be a whole number from 0 to 256, got 320/],
		[(c) => c.integer("act"), /act must be a whole number .*, got "silu"/],
		[(c) => c.number("mean"), /mean must be a number, got a list of 2/],
		[(c) => c.number("eps", { min: 1, max: 2 }), /from 1 to 2/],
		[(c) => c.boolean("width"), /width must be true or false, got 320/],
		[(c) => c.string("act", { allowed: ["gelu"] }), /act must be one of gelu, got "silu"/],
		[(c) => c.integers("widths", { length: 4 }), /widths must be a list of 4 whole numbers .*, got a list of 2/],
		[(c) => c.integers("mean"), /mean must be a list of at most 64 whole numbers/],
		[(c) => c.numbers("types"), /types must be/],
		[(c) => c.strings("mean"), /mean must be/],
		[(c) => c.object("width"), /width must be an object/],
		[(c) => c.object("args").object("inner").integer("x"), /args.inner.x must be/],
		[(c) => c.object("args").integer("toString"), /args.toString is missing/],
		[() => reader({ many: new Array(65).fill(1) }).integers("many"), /many must be a list of at most 64/],
		[() => reader({ huge: 1e300 }).integer("huge"), /huge must be/],
	])("names file and key of what is wrong, case %#", async (read, problem) => {
		await expectDamaged(() => read(config), problem);
	});
});

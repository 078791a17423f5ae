import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonValue, parseStrictJson } from "../../weights/strictJson.ts";
import { expectDamaged } from "../support/hostile.ts";

function plain(value: JsonValue): unknown {
	if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
	return Array.isArray(value) ? value.map(plain) : value;
}

describe("parseStrictJson", () => {
	test("gives what JSON.parse gives", () => {
		fc.assert(
			fc.property(fc.json({ maxDepth: 6 }), fc.boolean(), (text, spaced) => {
				const written = spaced ? JSON.stringify(JSON.parse(text), null, "\t") : text;
				// Objects made from entries have no own "__proto__" of JSON.parse's kind.
				if (written.includes("__proto__")) return;
				expect(plain(parseStrictJson(written, "made.file"))).toEqual(JSON.parse(written));
			}),
			{ numRuns: 500 },
		);
	});

	test("never throws anything but its error, and refuses what JSON.parse refuses", () => {
		fc.assert(
			fc.property(fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0e1-.+ntrf \n'), maxLength: 20 }), (text) => {
				let ours: unknown;
				try {
					ours = plain(parseStrictJson(text, "made.file"));
				} catch (error) {
					return (error as Error).name === "SyncHumanError";
				}
				expect(ours).toEqual(JSON.parse(text));
			}),
			{ numRuns: 3000 },
		);
	});

	test.each([
		['{"a":1,"a":2}', /"a" appears twice/],
		['{"a":1,"\\u0061":2}', /"a" appears twice/],
		["[".repeat(33) + "]".repeat(33), /nested more than 32/],
		["[".repeat(1_000_000), /nested more than 32/],
		["", /end of the text/],
		["[1,]", /expected a value, got "]"/],
		['{"a":1,}', /expected a key/],
		["[1] x", /expected the end/],
		["NaN", /got "NaN"/],
		["1e999", /1e999/],
		["01", /got "01"/],
		['"a\nb"', /control character/],
		['"\\x"', /wrong escape/],
		['"abc', /ends inside a string/],
		["9".repeat(1000), /expected the end/],
	])("refuses what is wrong, case %#", async (text, problem) => {
		await expectDamaged(() => parseStrictJson(text, "made.file"), problem);
	});

	test("__proto__ is a key like any other", () => {
		const value = parseStrictJson('{"__proto__": {"polluted": 1}}', "made.file");
		expect(value instanceof Map && value.has("__proto__")).toBe(true);
		expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
	});
});

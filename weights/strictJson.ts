import { damaged, quoted } from "./damaged.ts";

/** A parsed value. Objects are maps, so that no key of a file ("__proto__") means anything to JavaScript. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** An object of a JSON text, keys in the order of the file. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

const maxDepth = 32;
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether a value is an object (and not an array or a scalar). */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
	return value instanceof Map;
}

/**
 * RFC 8259, and stricter where JSON.parse is silent: a key that appears twice, nesting beyond 32 and numbers beyond a double are
 * errors of code "checkpoint" that name `file` and the position.
 */
export function parseStrictJson(text: string, file: string): JsonValue {
	let position = 0;

	const fail = (problem: string): never => {
		throw damaged(file, `is not valid JSON: ${problem} at character ${position}`);
	};
	const skipSpace = (): void => {
		while (position < text.length && " \t\n\r".includes(text[position])) position++;
	};
	const expect = (character: string): void => {
		skipSpace();
		if (text[position] !== character) fail(`expected ${quoted(character)}, got ${found()}`);
		position++;
	};
	const found = (): string => (position < text.length ? quoted(text[position]) : "the end of the text");

	const parseString = (): string => {
		const start = position;
		let escaped = false;
		for (position++; text[position] !== '"'; position++) {
			if (position >= text.length) fail("text ends inside a string");
			if (text.charCodeAt(position) < 32) fail("control character in a string");
			if (text[position] === "\\") {
				escaped = true;
				position++;
			}
		}
		position++;
		if (!escaped) return text.slice(start + 1, position - 1);
		try {
			return JSON.parse(text.slice(start, position));
		} catch {
			return fail("wrong escape in the string that ends");
		}
	};

	const parseScalar = (): JsonValue => {
		const start = position;
		while (position < text.length && position - start < 64 && /[-+.\w]/.test(text[position])) position++;
		const word = text.slice(start, position);
		if (word === "true" || word === "false") return word === "true";
		if (word === "null") return null;
		if (!numberPattern.test(word) || !Number.isFinite(Number(word))) {
			position = start;
			fail(`expected a value, got ${word === "" ? found() : quoted(word)}`);
		}
		return Number(word);
	};

	const parseList = (close: string, parseItem: () => void): void => {
		position++;
		skipSpace();
		if (text[position] === close) {
			position++;
			return;
		}
		for (;;) {
			parseItem();
			skipSpace();
			if (text[position] !== ",") break;
			position++;
		}
		expect(close);
	};

	const parseValue = (depth: number): JsonValue => {
		skipSpace();
		if (depth > maxDepth) fail(`nested more than ${maxDepth} deep`);
		if (text[position] === '"') return parseString();
		if (text[position] === "[") {
			const items: JsonValue[] = [];
			parseList("]", () => items.push(parseValue(depth + 1)));
			return items;
		}
		if (text[position] !== "{") return parseScalar();
		const entries = new Map<string, JsonValue>();
		parseList("}", () => {
			skipSpace();
			if (text[position] !== '"') fail(`expected a key, got ${found()}`);
			const key = parseString();
			if (entries.has(key)) fail(`the key ${quoted(key)} appears twice, the second time`);
			expect(":");
			entries.set(key, parseValue(depth + 1));
		});
		return entries;
	};

	const value = parseValue(1);
	skipSpace();
	if (position < text.length) fail(`expected the end, got ${found()}`);
	return value;
}

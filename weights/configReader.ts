import { damaged, quoted } from "./damaged.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./strictJson.ts";

/** Bounds of a number; `fallback` is given where the key is absent or null. */
export interface NumberOptions {
	readonly fallback?: number;
	readonly min?: number;
	readonly max?: number;
}

/** A list: how many items it must have, bounds of each, and what is given where the key is absent or null. */
export interface ListOptions<T> {
	readonly fallback?: readonly T[];
	readonly length?: number;
	readonly min?: number;
	readonly max?: number;
}

/**
 * An object of a JSON config, read key by key with the type that is expected. A key that is absent (and has no fallback), of another
 * type or out of bounds is an error of code "checkpoint" that names file and key. Keys nobody asks for are ignored.
 */
export interface ConfigReader {
	/** "FILE" or "FILE: args.x", what error messages begin with. */
	readonly place: string;
	/** Whether the key is there and not null. */
	has(key: string): boolean;
	keys(): readonly string[];
	/** A whole number; bounds default to 0 and 65,536, so that no size of a file is believed blindly. */
	integer(key: string, options?: NumberOptions): number;
	number(key: string, options?: NumberOptions): number;
	boolean(key: string, fallback?: boolean): boolean;
	/** A text; `allowed` lists the values that are understood. */
	string(key: string, options?: { readonly fallback?: string; readonly allowed?: readonly string[] }): string;
	/** At most 64 whole numbers, bounds as for `integer`. */
	integers(key: string, options?: ListOptions<number>): readonly number[];
	/** At most 64 numbers. */
	numbers(key: string, options?: ListOptions<number>): readonly number[];
	/** At most 64 texts. */
	strings(key: string, options?: ListOptions<string>): readonly string[];
	object(key: string): ConfigReader;
	/** The error of a key whose value cannot be used: "FILE: KEY problem". */
	error(key: string, problem: string): Error;
}

const maxItems = 64;
const maxInteger = 65_536;

/** A reader over a parsed object; `file` is named in errors. */
export function createConfigReader(object: JsonObject, file: string, path = ""): ConfigReader {
	const error = (key: string, problem: string) =>
		damaged(
			file,
			`${path}${key} ${problem}`,
			"Restore the config of the official checkpoint; sizes that the engine does not know cannot run.",
		);

	/** The value under a key, or the fallback; both missing is the error. */
	const find = <T>(key: string, fallback: T | undefined, kind: string, check: (value: JsonValue) => T | undefined): T => {
		const value = object.get(key) ?? null;
		if (value === null) {
			if (fallback === undefined) throw error(key, `is missing; it must be ${kind}`);
			return fallback;
		}
		const found = check(value);
		if (found === undefined) throw error(key, `must be ${kind}, got ${shown(value)}`);
		return found;
	};
	const list = <T>(key: string, options: ListOptions<T>, kind: string, check: (value: JsonValue) => value is T & JsonValue) => {
		const wanted = `a list of ${options.length ?? `at most ${maxItems}`} ${kind}`;
		return find<readonly T[]>(key, options.fallback, wanted, (value) => {
			if (!Array.isArray(value) || value.length > maxItems || (options.length !== undefined && value.length !== options.length))
				return undefined;
			return value.every(check) ? (value as unknown as readonly T[]) : undefined;
		});
	};
	const within = (value: JsonValue, min: number, max: number): value is number => typeof value === "number" && value >= min && value <= max;

	return {
		place: path === "" ? file : `${file}: ${path.slice(0, -1)}`,
		has: (key) => (object.get(key) ?? null) !== null,
		keys: () => [...object.keys()],
		integer(key, { fallback, min = 0, max = maxInteger } = {}) {
			const kind = `a whole number from ${min} to ${max}`;
			return find(key, fallback, kind, (value) => (within(value, min, max) && Number.isInteger(value) ? value : undefined));
		},
		number(key, { fallback, min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = {}) {
			const kind = min === -Number.MAX_VALUE && max === Number.MAX_VALUE ? "a number" : `a number from ${min} to ${max}`;
			return find(key, fallback, kind, (value) => (within(value, min, max) ? value : undefined));
		},
		boolean: (key, fallback) => find(key, fallback, "true or false", (value) => (typeof value === "boolean" ? value : undefined)),
		string(key, { fallback, allowed } = {}) {
			const kind = allowed === undefined ? "a text" : `one of ${allowed.join(", ")}`;
			return find(key, fallback, kind, (value) => (typeof value === "string" && (allowed?.includes(value) ?? true) ? value : undefined));
		},
		integers(key, options = {}) {
			const { min = 0, max = maxInteger } = options;
			return list(
				key,
				options,
				`whole numbers from ${min} to ${max}`,
				(value): value is number => within(value, min, max) && Number.isInteger(value),
			);
		},
		numbers(key, options = {}) {
			const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = options;
			return list(key, options, "numbers", (value): value is number => within(value, min, max));
		},
		strings: (key, options = {}) => list(key, options, "texts", (value): value is string => typeof value === "string"),
		object(key) {
			const found = find<JsonObject>(key, undefined, "an object", (value) => (isJsonObject(value) ? value : undefined));
			return createConfigReader(found, file, `${path}${key}.`);
		},
		error,
	};
}

function shown(value: JsonValue): string {
	if (isJsonObject(value)) return "an object";
	if (Array.isArray(value)) return `a list of ${value.length}`;
	return typeof value === "string" ? quoted(value) : String(value);
}

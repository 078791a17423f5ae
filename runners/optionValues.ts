import { SyncHumanError } from "../engine/error.ts";

// Reads single options of a command line; every function throws code "input" for a value that cannot be.

/** Options as they were given, by name. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** An error of the command line. */
export function usage(problem: string): SyncHumanError {
	return new SyncHumanError("input", `${problem}.`, "See synchuman --help.");
}

/** The text of an option that is given. */
export function textOf(values: OptionValues, name: string): string | undefined {
	const value = values[name];
	if (value === "") throw usage(`--${name} is empty`);
	return value as string | undefined;
}

/** One of a few words. */
export function choice<T extends string>(name: string, given: string, allowed: readonly T[]): T {
	const found = allowed.find((one) => one === given);
	if (found === undefined) throw usage(`${name} must be ${allowed.join(" or ")}, got ${given}`);
	return found;
}

/** A whole number within bounds. */
export function whole(name: string, given: string | undefined, otherwise: number, min: number, max: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	if (given.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
		throw usage(`--${name} must be a whole number from ${min} to ${max}, got ${given}`);
	}
	return value;
}

/** A number within bounds. */
export function real(name: string, given: string | undefined, otherwise: number, min: number, max: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	if (given.trim() === "" || !(value >= min && value <= max)) throw usage(`--${name} must be a number from ${min} to ${max}, got ${given}`);
	return value;
}

const units: Readonly<Record<string, number>> = { "": 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };

/** A number of bytes such as 12GB. */
export function byteSize(name: string, given: string | undefined): number | undefined {
	if (given === undefined) return undefined;
	const match = /^(\d+(?:\.\d+)?)\s*([KMG]i?B|B)?$/i.exec(given.trim());
	if (match === null) throw usage(`--${name} must be a size such as 12GB or 800MiB, got ${given}`);
	return Math.floor(Number(match[1]) * units[(match[2] ?? "").toUpperCase()]);
}

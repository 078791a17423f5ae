/** An object with its typed arrays copied into memory that threads share; other fields stay as they are. */
export function arraysInShared<T extends object>(values: T): T {
	return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isShareable(value) ? inShared(value) : value])) as T;
}

type Shareable = Uint8Array | Uint16Array | Uint32Array | Float32Array;

function isShareable(value: unknown): value is Shareable {
	return [Uint8Array, Uint16Array, Uint32Array, Float32Array].some((type) => value instanceof type);
}

function inShared<T extends Shareable>(values: T): T {
	const made = new (values.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(values.byteLength));
	made.set(values);
	return made;
}

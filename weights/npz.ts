import { type ZipOptions, zipSync } from "fflate";
import { memoryByteSource } from "./byteSource.ts";
import { damaged, quoted } from "./damaged.ts";
import { type NpyArray, readNpy, writeNpy } from "./npy.ts";
import type { ByteSource } from "./source.ts";
import { openZip } from "./zip.ts";

/** Limit of all arrays of an archive together: these files hold voxel coordinates and test data, not weights. */
const maxBytes = 2 ** 30;

/** Every array of an .npz file (numpy.savez, numpy.savez_compressed) by its name without ".npy". Errors name the file. */
export async function readNpz(source: ByteSource | Uint8Array): Promise<Map<string, NpyArray>> {
	const file = source instanceof Uint8Array ? memoryByteSource("npz", source) : source;
	const zip = await openZip(file);
	const arrays = new Map<string, NpyArray>();
	let left = maxBytes;
	for (const entry of zip.entries.values()) {
		if (!entry.name.endsWith(".npy")) throw damaged(file.name, `the entry ${quoted(entry.name)} is not a .npy array`);
		const bytes = await zip.read(entry, left);
		left -= bytes.length;
		arrays.set(entry.name.slice(0, -".npy".length), readNpy(bytes, `${file.name}: ${entry.name}`));
	}
	return arrays;
}

/**
 * An .npz file that numpy.load reads: stored, or deflated as numpy.savez_compressed does. The same arrays give the same bytes:
 * entries carry 1980-01-01 instead of the time.
 */
export function writeNpz(arrays: ReadonlyMap<string, NpyArray>, options: { readonly compressed?: boolean } = {}): Uint8Array {
	const attributes: ZipOptions = { level: options.compressed ? 6 : 0, mtime: new Date(1980, 0, 1), os: 3 };
	const files: Record<string, [Uint8Array, ZipOptions]> = Object.create(null);
	for (const [name, array] of arrays) {
		if (!/^\w[\w.-]{0,200}$/.test(name)) throw new RangeError(`writeNpz: ${quoted(name)} cannot name an array`);
		files[`${name}.npy`] = [writeNpy(array), attributes];
	}
	return zipSync(files);
}

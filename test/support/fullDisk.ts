import type { FileHandle, statfs } from "node:fs/promises";

/**
 * `free`: bytes that files opened through `withFullDisk` still take, all together; then each write fails as on a full disk. `told`: how many
 * the disk says it has, where that is not the real one's.
 */
export const disk = { free: Number.POSITIVE_INFINITY, told: undefined as number | undefined };

function full(): Error {
	return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write", errno: -28 });
}

/** node:fs/promises with a disk that can be full, for `vi.mock`. As a real one, it takes what still fits. */
export function withFullDisk<Module extends { readonly open: (...args: never[]) => Promise<FileHandle>; readonly statfs: typeof statfs }>(
	real: Module,
): Module {
	const limited = (file: FileHandle): FileHandle => {
		const write: FileHandle["write"] = (async (
			bytes: Uint8Array,
			offset = 0,
			length = bytes.length - offset,
			position: number | null = null,
		) => {
			if (disk.free <= 0 && length > 0) throw full();
			const written = await file.write(bytes, offset, Math.min(length, disk.free), position);
			disk.free -= written.bytesWritten;
			return written;
		}) as FileHandle["write"];
		const writeFile: FileHandle["writeFile"] = async (bytes) => {
			const content = bytes as Uint8Array;
			await file.writeFile(content.subarray(0, Math.max(0, Math.min(content.length, disk.free))));
			if (content.length > disk.free) throw full();
			disk.free -= content.length;
		};
		return new Proxy(file, {
			get(target, name) {
				if (name === "write") return write;
				if (name === "writeFile") return writeFile;
				const found = Reflect.get(target, name, target);
				return typeof found === "function" ? found.bind(target) : found;
			},
		});
	};
	const told = async (...args: Parameters<typeof statfs>) => {
		const found = await real.statfs(...args);
		return disk.told === undefined ? found : { ...found, bavail: Math.floor(disk.told / 512), bsize: 512 };
	};
	return { ...real, statfs: told, open: async (...args: Parameters<Module["open"]>) => limited(await real.open(...args)) };
}

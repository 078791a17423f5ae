import { crc32 } from "../../weights/crc32.ts";

/** The beginning of a PNG (RGBA) that promises more than it has. */
export function hugePng(width: number, height: number): Uint8Array {
	const chunk = (type: string, data: Uint8Array) => {
		const bytes = Buffer.alloc(data.length + 12);
		bytes.writeUInt32BE(data.length, 0);
		bytes.write(type, 4, "latin1");
		bytes.set(data, 8);
		bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
		return bytes;
	};
	const header = Buffer.alloc(13);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	header.set([8, 6, 0, 0, 0], 8);
	const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
	return Buffer.concat([
		Uint8Array.from(signature),
		chunk("IHDR", header),
		chunk("IDAT", new Uint8Array(10)),
		chunk("IEND", new Uint8Array(0)),
	]);
}

const slices = 4;
let tables: Uint32Array[] | undefined;

function crcTables(): Uint32Array[] {
	if (tables !== undefined) return tables;
	tables = Array.from({ length: slices }, () => new Uint32Array(256));
	for (let byte = 0; byte < 256; byte++) {
		let value = byte;
		for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
		tables[0][byte] = value;
	}
	for (let slice = 1; slice < slices; slice++) {
		for (let byte = 0; byte < 256; byte++) {
			const previous = tables[slice - 1][byte];
			tables[slice][byte] = (previous >>> 8) ^ tables[0][previous & 255];
		}
	}
	return tables;
}

/** CRC-32 of zip and PNG (polynomial 0xEDB88320), four bytes a step. `previous` continues an earlier call over the bytes before. */
export function crc32(bytes: Uint8Array, previous = 0): number {
	const [t0, t1, t2, t3] = crcTables();
	let crc = ~previous;
	let i = 0;
	for (; i + 4 <= bytes.length; i += 4) {
		crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
		crc = t3[crc & 255] ^ t2[(crc >>> 8) & 255] ^ t1[(crc >>> 16) & 255] ^ t0[crc >>> 24];
	}
	for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 255];
	return ~crc >>> 0;
}

import { readRange } from "./byteSource.ts";
import { damaged } from "./damaged.ts";
import type { ByteSource } from "./source.ts";

// Protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding): a message is a run of fields, each a tag
// (number << 3 | type) and a value: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.

/** A field of a message: a number, or where its bytes lie. */
export interface ProtobufField {
	readonly number: number;
	readonly kind: "varint" | "fixed32" | "fixed64" | "bytes";
	/** Of a varint, beyond 2^53 rounded. */
	readonly value: number;
	/** Of the value in the source. */
	readonly offset: number;
	readonly byteLength: number;
}

/** Bytes that are read at a time; fields that are only passed over are not read. */
const windowBytes = 2 ** 12;

/** Reads messages of a source by ranges. Every length is compared with the message around it before anything is read. */
export class ProtobufReader {
	readonly source: ByteSource;
	#start = 0;
	#window: Uint8Array = new Uint8Array(0);

	constructor(source: ByteSource) {
		this.source = source;
	}

	/** The fields between two offsets. Throws code "checkpoint" where they do not fit. */
	async *fields(start: number, end: number): AsyncGenerator<ProtobufField> {
		for (let at = start; at < end; ) {
			const tag = await this.varint(at, end);
			const number = Math.floor(tag.value / 8);
			if (number < 1 || number >= 2 ** 29) throw this.#damaged(at);
			const field = await this.#value(number, tag.value % 8, tag.end, end);
			at = field.offset + field.byteLength;
			yield field;
		}
	}

	/** A varint at an offset and where it ends; negative numbers come as the 64 bits of their two's complement say. */
	async varint(at: number, end: number): Promise<{ readonly value: number; readonly end: number }> {
		let value = 0n;
		for (let i = 0; i < 10; i++) {
			if (at + i >= end) throw this.#damaged(at);
			const byte = await this.#byte(at + i);
			value |= BigInt(byte & 0x7f) << BigInt(7 * i);
			if (byte < 0x80) return { value: Number(BigInt.asIntN(64, value)), end: at + i + 1 };
		}
		throw this.#damaged(at);
	}

	/** Varints of a repeated field, packed or single. Throws where there are more than `limit`. */
	async varints(field: ProtobufField, limit: number): Promise<readonly number[]> {
		if (field.kind === "varint") return [field.value];
		if (field.kind !== "bytes") throw this.#damaged(field.offset);
		const found: number[] = [];
		const end = field.offset + field.byteLength;
		for (let at = field.offset; at < end; ) {
			const { value, end: next } = await this.varint(at, end);
			found.push(value);
			if (found.length > limit) throw this.#damaged(field.offset);
			at = next;
		}
		return found;
	}

	/** Bytes of a field. Throws where there are more than `limit`. */
	async bytes(field: ProtobufField, limit: number): Promise<Uint8Array> {
		if (field.kind === "varint" || field.byteLength > limit) throw this.#damaged(field.offset);
		return readRange(this.source, field.offset, field.byteLength, "a field");
	}

	/** Text of a field of at most 4,096 bytes; what is not UTF-8 becomes replacement characters. */
	async text(field: ProtobufField): Promise<string> {
		return new TextDecoder().decode(await this.bytes(field, 4096));
	}

	async #value(number: number, type: number, at: number, end: number): Promise<ProtobufField> {
		if (type === 0) {
			const { value, end: next } = await this.varint(at, end);
			return { number, kind: "varint", value, offset: at, byteLength: next - at };
		}
		if (type === 1 || type === 5) {
			const byteLength = type === 1 ? 8 : 4;
			if (at + byteLength > end) throw this.#damaged(at);
			return { number, kind: type === 1 ? "fixed64" : "fixed32", value: 0, offset: at, byteLength };
		}
		if (type !== 2) throw this.#damaged(at);
		const { value: byteLength, end: offset } = await this.varint(at, end);
		if (byteLength < 0 || byteLength > end - offset) throw this.#damaged(at);
		return { number, kind: "bytes", value: 0, offset, byteLength };
	}

	async #byte(at: number): Promise<number> {
		if (at < this.#start || at >= this.#start + this.#window.length) {
			const length = Math.min(windowBytes, this.source.byteLength - at);
			this.#window = await readRange(this.source, at, length, "a message");
			this.#start = at;
		}
		return this.#window[at - this.#start];
	}

	#damaged(at: number) {
		return damaged(this.source.name, `is not a whole protobuf file: what stands at byte ${at} does not fit its message`);
	}
}

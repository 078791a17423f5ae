import { SyncHumanError } from "../error.ts";
import type { Mesh } from "./mesh.ts";

/** What a PLY file holds. */
export interface PlyContent {
	/** Number of vertices, and the values of each of their properties by name: [v]. */
	readonly count: number;
	readonly columns: ReadonlyMap<string, Float32Array>;
	/** [f, 3]: polygons cut into fans; empty without faces. */
	readonly faces: Uint32Array;
	/** Properties of vertices that are whole numbers of 8 bits (colours 0..255). */
	readonly bytes: ReadonlySet<string>;
}

type Scalar = (typeof scalars)[number][1];
const scalars = [
	[["char", "int8"], "getInt8", 1],
	[["uchar", "uint8"], "getUint8", 1],
	[["short", "int16"], "getInt16", 2],
	[["ushort", "uint16"], "getUint16", 2],
	[["int", "int32"], "getInt32", 4],
	[["uint", "uint32"], "getUint32", 4],
	[["float", "float32"], "getFloat32", 4],
	[["double", "float64"], "getFloat64", 8],
] as const;

interface Property {
	readonly name: string;
	readonly read: Scalar;
	readonly byteLength: number;
	/** Of a list: how its length is stored. */
	readonly length?: { readonly read: Scalar; readonly byteLength: number };
}

interface Element {
	readonly name: string;
	readonly count: number;
	readonly properties: readonly Property[];
}

/**
 * Reads a PLY file: text or binary, either byte order. Vertices with all their number properties, faces as triangles; other elements are passed
 * over. Throws code "input", beginning with `name`, for anything else and for files that end too early.
 */
export function readPly(file: Uint8Array, name: string): PlyContent {
	const wrong = (problem: string) => new SyncHumanError("input", `${name}: ${problem}.`, "Give a whole .ply file.");
	const head = new TextDecoder("latin1").decode(file.subarray(0, 65_536));
	const end = /end_header\r?\n/.exec(head);
	if (!head.startsWith("ply") || end === null) throw wrong("is not a PLY file");
	const { format, elements } = readHeader(head.slice(0, end.index), wrong);
	const next = format === "ascii" ? textReader(file, end.index + end[0].length) : binaryReader(file, end.index + end[0].length, format);
	const columns = new Map<string, Float32Array>();
	const bytes = new Set<string>();
	const corners: number[] = [];
	let count = 0;
	for (const element of elements) {
		const isVertex = element.name === "vertex";
		if (isVertex) {
			count = element.count;
			if (count * 2 > file.length) throw wrong(`cannot hold ${count} vertices`);
			for (const property of element.properties) {
				if (property.length === undefined) columns.set(property.name, new Float32Array(count));
				if (property.byteLength === 1) bytes.add(property.name);
			}
		}
		for (let row = 0; row < element.count; row++) {
			for (const property of element.properties) {
				const many = property.length === undefined ? 1 : next(property.length.read, property.length.byteLength);
				if (many === undefined) throw wrong(`ends in row ${row} of its element "${element.name}"`);
				const polygon: number[] = [];
				for (let i = 0; i < many; i++) {
					const value = next(property.read, property.byteLength);
					if (value === undefined) throw wrong(`ends in row ${row} of its element "${element.name}"`);
					polygon.push(value);
				}
				if (isVertex && property.length === undefined) (columns.get(property.name) as Float32Array)[row] = polygon[0];
				if (element.name === "face" && /^vertex_ind/.test(property.name))
					for (let i = 2; i < polygon.length; i++) corners.push(polygon[0], polygon[i - 1], polygon[i]);
			}
		}
	}
	const beyond = corners.findIndex((vertex) => !(vertex >= 0 && vertex < count));
	if (beyond >= 0) throw wrong(`names vertex ${corners[beyond]} of ${count}`);
	return { count, columns, faces: Uint32Array.from(corners), bytes };
}

function readHeader(text: string, wrong: (problem: string) => Error) {
	let format: string | undefined;
	const elements: { name: string; count: number; properties: Property[] }[] = [];
	const scalar = (type: string) => {
		const found = scalars.find(([names]) => (names as readonly string[]).includes(type));
		if (found === undefined) throw wrong(`has a property of the unknown type "${type}"`);
		return { read: found[1], byteLength: found[2] };
	};
	for (const line of text.split(/\r?\n/)) {
		const [word, ...rest] = line.trim().split(/\s+/);
		if (word === "format") format = rest[0];
		if (word === "element") elements.push({ name: rest[0], count: Number(rest[1]), properties: [] });
		if (word !== "property") continue;
		const properties = elements.at(-1)?.properties;
		if (rest[0] === "list") properties?.push({ name: rest[3], ...scalar(rest[2]), length: scalar(rest[1]) });
		else properties?.push({ name: rest[1], ...scalar(rest[0]) });
	}
	if (format !== "ascii" && format !== "binary_little_endian" && format !== "binary_big_endian") throw wrong(`has the format ${format}`);
	for (const { name, count } of elements) if (!Number.isInteger(count) || count < 0) throw wrong(`has ${count} rows of "${name}"`);
	return { format, elements: elements as readonly Element[] };
}

/** Gives value after value; undefined at the end of the file. */
type Reader = (read: Scalar, byteLength: number) => number | undefined;

function binaryReader(file: Uint8Array, start: number, format: string): Reader {
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	const isLittle = format === "binary_little_endian";
	let at = start;
	return (read, byteLength) => {
		if (at + byteLength > view.byteLength) return undefined;
		const value = view[read](at, isLittle);
		at += byteLength;
		return value;
	};
}

function textReader(file: Uint8Array, start: number): Reader {
	const words = new TextDecoder("latin1").decode(file.subarray(start)).split(/\s+/);
	let at = words[0] === "" ? 1 : 0;
	return () => (at < words.length && words[at] !== "" ? Number(words[at++]) : undefined);
}

/**
 * The mesh of a PLY file; undefined where it has no faces. `turned`: the file has y up and z towards the viewer, as glTF; z up comes out.
 * Throws code "input" where x, y and z are not all there.
 */
export function meshOfPly({ count, columns, faces, bytes }: PlyContent, name: string, turned: boolean): Mesh | undefined {
	if (faces.length === 0) return undefined;
	const rows = (names: readonly string[]): Float32Array | undefined => {
		const found = names.map((column) => columns.get(column));
		if (found.some((column) => column === undefined)) return undefined;
		return Float32Array.from({ length: count * 3 }, (_, i) => (found[i % 3] as Float32Array)[Math.floor(i / 3)]);
	};
	const positions = rows(["x", "y", "z"]);
	if (positions === undefined) throw new SyncHumanError("input", `${name}: its vertices have no x, y and z.`);
	if (turned) for (let i = 0; i < positions.length; i += 3) positions.set([positions[i], 0 - positions[i + 2], positions[i + 1]], i);
	const colors = rows(["red", "green", "blue"]);
	return { positions, faces, colors: colors && (bytes.has("red") ? colors.map((value) => value / 255) : colors) };
}

import { readRange } from "./byteSource.ts";
import { damaged, quoted } from "./damaged.ts";
import { type ProtobufField, ProtobufReader } from "./protobuf.ts";
import type { ByteSource, StoredDType, StoredTensor } from "./source.ts";
import { checkedElementCount, storedElementBytes } from "./storedTensor.ts";

// onnx/onnx.proto (onnx/onnx 1.16): ModelProto.graph 7, .opset_import 8; GraphProto.node 1, .initializer 5; NodeProto.input 1, .output 2,
// .op_type 4, .attribute 5, .domain 7; AttributeProto.name 1, .f 2, .i 3, .s 4, .t 5, .ints 8; TensorProto.dims 1, .data_type 2,
// .float_data 4, .int32_data 5, .int64_data 7, .name 8, .raw_data 9, .double_data 10, .external_data 13, .data_location 14.

const limits = Object.freeze({ nodes: 20_000, initializers: 20_000, inputs: 64, attributes: 64, ints: 64 });

/** TensorProto.DataType of what can be read. */
const dtypes: Readonly<Record<number, StoredDType>> = { 1: "F32", 6: "I32", 7: "I64", 10: "F16", 11: "F64", 16: "BF16" };

/** A tensor of an ONNX file; its numbers are read when they are asked for. */
export interface OnnxTensor {
	readonly name: string;
	readonly shape: readonly number[];
	/** Rejects with code "checkpoint" where its type or its place cannot be read. */
	read(): Promise<StoredTensor>;
}

/** An attribute of a node: what of these the file has. */
export interface OnnxAttribute {
	readonly float?: number;
	readonly int?: number;
	readonly text?: string;
	readonly ints?: readonly number[];
	readonly tensor?: OnnxTensor;
}

/** An operator of the graph. */
export interface OnnxNode {
	readonly op: string;
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
	readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** What an ONNX file holds. */
export interface OnnxGraph {
	readonly file: string;
	/** Version of the standard operators. */
	readonly opset: number;
	/** In the file's order, which is an order of execution. */
	readonly nodes: readonly OnnxNode[];
	/** By name. */
	readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

/** The graph of an ONNX file, by ranges: tensors stay where they are. Errors have code "checkpoint" and name the file. */
export async function readOnnx(source: ByteSource): Promise<OnnxGraph> {
	const reader = new ProtobufReader(source);
	const nodes: OnnxNode[] = [];
	const initializers = new Map<string, OnnxTensor>();
	let [opset, graphs] = [0, 0];
	for await (const field of reader.fields(0, source.byteLength)) {
		if (field.number === 8 && field.kind === "bytes") opset = Math.max(opset, await readOpset(reader, field));
		if (field.number !== 7 || field.kind !== "bytes") continue;
		graphs++;
		for await (const part of reader.fields(field.offset, field.offset + field.byteLength)) {
			if (part.kind !== "bytes") continue;
			if (part.number === 1) nodes.push(await readNode(reader, part));
			if (part.number === 5) {
				const tensor = await readTensor(reader, part);
				if (initializers.has(tensor.name)) throw damaged(source.name, `has two initializers ${quoted(tensor.name)}`);
				initializers.set(tensor.name, tensor);
			}
			if (nodes.length > limits.nodes || initializers.size > limits.initializers)
				throw damaged(source.name, `has more than ${limits.nodes} nodes or ${limits.initializers} initializers`);
		}
	}
	if (graphs !== 1 || nodes.length === 0 || opset < 1) throw damaged(source.name, "is not an ONNX file");
	return { file: source.name, opset, nodes, initializers };
}

async function readOpset(reader: ProtobufReader, message: ProtobufField): Promise<number> {
	let [domain, version] = ["", 0];
	for await (const field of reader.fields(message.offset, message.offset + message.byteLength)) {
		if (field.number === 1 && field.kind === "bytes") domain = await reader.text(field);
		if (field.number === 2 && field.kind === "varint") version = field.value;
	}
	return domain === "" || domain === "ai.onnx" ? version : 0;
}

async function readNode(reader: ProtobufReader, message: ProtobufField): Promise<OnnxNode> {
	const [inputs, outputs]: [string[], string[]] = [[], []];
	const attributes = new Map<string, OnnxAttribute>();
	let op = "";
	for await (const field of reader.fields(message.offset, message.offset + message.byteLength)) {
		if (field.kind !== "bytes") continue;
		if (field.number === 1) inputs.push(await reader.text(field));
		if (field.number === 2) outputs.push(await reader.text(field));
		if (field.number === 4) op = await reader.text(field);
		if (field.number === 5) {
			const { name, attribute } = await readAttribute(reader, field);
			attributes.set(name, attribute);
		}
		if (Math.max(inputs.length, outputs.length) > limits.inputs || attributes.size > limits.attributes)
			throw damaged(reader.source.name, `a node ${quoted(op)} has too many inputs, outputs or attributes`);
	}
	return { op, inputs, outputs, attributes };
}

async function readAttribute(reader: ProtobufReader, message: ProtobufField) {
	let name = "";
	const attribute: { -readonly [Key in keyof OnnxAttribute]: OnnxAttribute[Key] } = {};
	const ints: number[] = [];
	for await (const field of reader.fields(message.offset, message.offset + message.byteLength)) {
		if (field.number === 1 && field.kind === "bytes") name = await reader.text(field);
		if (field.number === 2 && field.kind === "fixed32") attribute.float = viewOf(await reader.bytes(field, 4)).getFloat32(0, true);
		if (field.number === 3 && field.kind === "varint") attribute.int = field.value;
		if (field.number === 4 && field.kind === "bytes" && field.byteLength <= 4096) attribute.text = await reader.text(field);
		if (field.number === 5 && field.kind === "bytes") attribute.tensor = await readTensor(reader, field);
		if (field.number === 8) ints.push(...(await reader.varints(field, limits.ints)));
		if (ints.length > limits.ints) throw damaged(reader.source.name, `the attribute ${quoted(name)} has more than ${limits.ints} numbers`);
	}
	if (ints.length > 0) attribute.ints = ints;
	return { name, attribute };
}

async function readTensor(reader: ProtobufReader, message: ProtobufField): Promise<OnnxTensor> {
	const file = reader.source.name;
	const shape: number[] = [];
	const data: ProtobufField[] = [];
	let [name, type, elsewhere] = ["", 0, false];
	for await (const field of reader.fields(message.offset, message.offset + message.byteLength)) {
		if (field.number === 1) shape.push(...(await reader.varints(field, 16)));
		if (field.number === 2 && field.kind === "varint") type = field.value;
		if (field.number === 8 && field.kind === "bytes") name = await reader.text(field);
		if ([4, 5, 7, 9, 10].includes(field.number) && data.push(field) > 1) throw damaged(file, `${tensorNamed(name)} is in pieces`, resave);
		if (field.number === 13 || (field.number === 14 && field.value !== 0)) elsewhere = true;
	}
	const what = tensorNamed(name);
	const count = checkedElementCount(shape, file, what);
	return {
		name,
		shape,
		async read() {
			const dtype = dtypes[type];
			if (dtype === undefined) throw damaged(file, `${what} has the type ${type}, which cannot be read`, resave);
			if (elsewhere) throw damaged(file, `${what} lies in another file`, resave);
			const [field] = data;
			// Besides raw_data only what needs no decoding; float16 in int32_data is not written by anyone here.
			const asStored =
				field !== undefined && (field.number === 9 || (field.number === 4 && dtype === "F32") || (field.number === 10 && dtype === "F64"));
			if (count > 0 && !asStored) throw damaged(file, `${what} has no data that can be read`, resave);
			const byteLength = count * storedElementBytes(dtype);
			const found = field?.byteLength ?? 0;
			if (found !== byteLength) throw damaged(file, `${what} is [${shape}], ${byteLength} bytes, but has ${found}`);
			return { dtype, shape, bytes: byteLength === 0 ? new Uint8Array(0) : await readRange(reader.source, field.offset, byteLength, what) };
		},
	};
}

const resave = "Give the file as it was released, or the .pth.";

function tensorNamed(name: string): string {
	return name === "" ? "a tensor" : `tensor ${quoted(name)}`;
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import { u2netConvolutions } from "../../engine/models/u2net.ts";
import type { StoredTensor } from "../../weights/source.ts";
import { randomValues } from "./gpu.ts";
import { storedFromFloat32 } from "./storedFromFloat32.ts";

/** A U2NET of 4 channels with 2 inside its stages, as a state dict. */
export function tinyU2net(): Map<string, StoredTensor> {
	const state = new Map<string, StoredTensor>();
	u2netConvolutions().forEach(({ name, kernel }, index) => {
		const put = (leaf: string, shape: readonly number[], make: (v: number) => number) => {
			const count = shape.reduce((a, b) => a * b, 1);
			state.set(leaf, storedFromFloat32(randomValues(count, index * 7 + leaf.length).map(make), shape));
		};
		const [columns, channels] = sizes(name);
		put(`${name}.weight`, [columns, channels, kernel, kernel], (v) => v * Math.sqrt(6 / (channels * kernel ** 2)));
		put(`${name}.bias`, [columns], (v) => v / 10);
		if (!name.endsWith("conv_s1")) return;
		const norm = name.replace("conv_s1", "bn_s1");
		put(`${norm}.weight`, [columns], (v) => 1 + v / 5);
		put(`${norm}.bias`, [columns], (v) => v / 10);
		put(`${norm}.running_mean`, [columns], (v) => v / 10);
		put(`${norm}.running_var`, [columns], (v) => 1 + v / 5);
		state.set(`${norm}.num_batches_tracked`, { dtype: "I64", shape: [], bytes: new Uint8Array(8) });
	});
	return state;
}

function sizes(name: string): readonly [columns: number, channels: number] {
	if (name === "outconv") return [1, 6];
	if (name.startsWith("side")) return [1, 4];
	const [stage, layer] = name.split(".");
	if (layer === "rebnconvin") return [4, stage === "stage1" ? 3 : stage.endsWith("d") ? 8 : 4];
	if (layer === "rebnconv1") return [2, 4];
	return [layer === "rebnconv1d" ? 4 : 2, layer.endsWith("d") ? 4 : 2];
}

type Bytes = readonly number[] | Uint8Array;

function joined(parts: readonly Bytes[]): Uint8Array {
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}

function varint(value: number): number[] {
	const bytes: number[] = [];
	let rest = BigInt.asUintN(64, BigInt(value));
	do {
		bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
		rest >>= 7n;
	} while (rest > 0n);
	return bytes;
}

/** Protobuf fields: a number, text, floats packed, or a message. */
const int = (number: number, value: number): Bytes => [...varint(number * 8), ...varint(value)];
const bytes = (number: number, value: Bytes): Bytes => joined([varint(number * 8 + 2), varint(value.length), value]);
const text = (number: number, value: string): Bytes => bytes(number, new TextEncoder().encode(value));
const float = (number: number, value: number): Bytes => joined([varint(number * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);

function tensor(name: string, { shape, bytes: data }: StoredTensor, inFloats: boolean): Bytes {
	return joined([...shape.map((extent) => int(1, extent)), int(2, 1), text(8, name), bytes(inFloats ? 4 : 9, data)]);
}

const attributeInts = (name: string, values: readonly number[]) =>
	bytes(5, joined([text(1, name), ...values.map((value) => int(8, value)), int(20, 7)]));
const attributeText = (name: string, value: string) => bytes(5, joined([text(1, name), text(4, value), int(20, 3)]));
const attributeFloat = (name: string, value: number) => bytes(5, joined([text(1, name), float(2, value), int(20, 1)]));
const attributeTensor = (name: string, value: Bytes) => bytes(5, joined([text(1, name), bytes(5, value), int(20, 4)]));

function node(op: string, inputs: readonly string[], output: string, attributes: readonly Bytes[] = []): Bytes {
	return bytes(1, joined([...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...attributes]));
}

/** How an exporter may have written the file. */
export interface OnnxStyle {
	/** Norms are in the convolutions; `state` then holds no norms. */
	readonly folded?: boolean;
	/** Bare numbers for names, as newer exporters write them where they fold. */
	readonly numbers?: boolean;
	/** Numbers in float_data, or in Constant nodes behind an Identity. */
	readonly place?: "raw" | "floats" | "constants";
	readonly opset?: number;
	/** coordinate_transformation_mode, from opset 11 on. */
	readonly coordinates?: string;
	/** Leaves out the last so many convolutions. */
	readonly missing?: number;
	/** Dilation of all convolutions in place of the right ones. */
	readonly dilation?: number;
}

/** A file with a U2NET's convolutions in order, chained one behind the other: what a reader that walks the graph sees. */
export function u2netOnnx(state: ReadonlyMap<string, StoredTensor>, style: OnnxStyle = {}): Uint8Array {
	const { folded = false, numbers = false, place = "raw", opset = 11, coordinates = "pytorch_half_pixel", missing = 0 } = style;
	const parts: Bytes[] = [];
	const initializers: Bytes[] = [];
	let count = 0;
	const named = (key: string): string => {
		const stored = state.get(key);
		if (stored === undefined) throw new Error(`no ${key}`);
		const name = numbers ? String(1000 + count++) : key;
		if (place === "constants") {
			parts.push(node("Constant", [], `${name}_value`, [attributeTensor("value", tensor("", stored, false))]));
			parts.push(node("Identity", [`${name}_value`], name));
		} else initializers.push(bytes(5, tensor(name, stored, place === "floats")));
		return name;
	};
	let current = "input";
	const all = u2netConvolutions();
	for (const { name, kernel, dilation: right } of all.slice(0, all.length - missing)) {
		const dilation = style.dilation ?? right;
		const pad = (dilation * (kernel - 1)) / 2;
		const inputs = [current, named(`${name}.weight`), named(`${name}.bias`)];
		parts.push(
			node("Conv", inputs, `${name}_out`, [
				attributeInts("dilations", [dilation, dilation]),
				attributeInts("kernel_shape", [kernel, kernel]),
				attributeInts("pads", [pad, pad, pad, pad]),
				attributeInts("strides", [1, 1]),
			]),
		);
		current = `${name}_out`;
		if (!name.endsWith("conv_s1")) continue;
		if (!folded) {
			const norm = name.replace("conv_s1", "bn_s1");
			const rest = ["weight", "bias", "running_mean", "running_var"].map((leaf) => named(`${norm}.${leaf}`));
			parts.push(node("BatchNormalization", [current, ...rest], `${name}_norm`, [attributeFloat("epsilon", 1e-5)]));
			current = `${name}_norm`;
		}
		parts.push(node("Relu", [current], `${name}_relu`));
		current = `${name}_relu`;
	}
	const modes = opset >= 11 ? [attributeText("coordinate_transformation_mode", coordinates)] : [];
	parts.push(node(opset < 10 ? "Upsample" : "Resize", [current], "enlarged", [attributeText("mode", "linear"), ...modes]));
	return joined([int(1, 6), text(2, "pytorch"), bytes(7, joined([...parts, ...initializers])), bytes(8, int(2, opset))]);
}

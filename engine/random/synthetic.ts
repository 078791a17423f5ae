import { float32ToFloat16, roundToFloat16 } from "../gpu/float16.ts";

// Synthetic numbers that need no state and no file: element i of the tensor `name` is a hash of (name, seed, i). The generator is
// that of the reference kit's synthetic.py, bit for bit; shaders/ holds the same arithmetic for tensors made on the GPU.
//   key = fnv1a32(name in UTF-8) xor (seed * 0x9E3779B9 mod 2^32);   hash = mix(mix(i) xor key);   u = (hash >> 8) * 2^-23 - 1
//   value = f16(f32(offset + f32(u * f32(scale))))

/** Numbers are drawn uniformly from [offset - scale, offset + scale). */
export interface Distribution {
	readonly offset: number;
	readonly scale: number;
}

/** FNV-1a of the name's UTF-8 bytes, 32 bits. */
export function fnv1a32(name: string): number {
	let hash = 0x811c9dc5;
	for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
	return hash >>> 0;
}

/** What sets one tensor's stream apart from all others. */
export function syntheticKey(name: string, seed: number): number {
	return (fnv1a32(name) ^ Math.imul(seed, 0x9e3779b9)) >>> 0;
}

/** The "lowbias32" integer hash: a bijection of 32-bit numbers. */
function mix(x: number): number {
	x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
	x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
	return x ^ (x >>> 16);
}

/** Elements start .. start+count of the stream of `name`: u in [-1, 1), exact in float32. */
export function syntheticUniforms(name: string, count: number, seed: number, start = 0): Float32Array {
	const key = syntheticKey(name, seed);
	const values = new Float32Array(count);
	for (let i = 0; i < count; i++) values[i] = (mix(mix(start + i) ^ key) >>> 8) * 2 ** -23 - 1;
	return values;
}

function elements(shape: readonly number[]): number {
	return shape.reduce((product, extent) => product * extent, 1);
}

/** float32 values before the rounding to float16. */
function unrounded(name: string, shape: readonly number[], seed: number, { offset, scale }: Distribution): Float32Array {
	const values = syntheticUniforms(name, elements(shape), seed);
	const offset32 = Math.fround(offset);
	const scale32 = Math.fround(scale);
	for (let i = 0; i < values.length; i++) values[i] = offset32 + Math.fround(values[i] * scale32);
	return values;
}

/** The tensor's values as float16 bits, row-major. */
export function syntheticFloat16(name: string, shape: readonly number[], seed: number, distribution: Distribution): Uint16Array {
	return float32ToFloat16(unrounded(name, shape, seed, distribution));
}

/** The same values as float32: every one of them is representable in float16. */
export function syntheticFloat32(name: string, shape: readonly number[], seed: number, distribution: Distribution): Float32Array {
	return unrounded(name, shape, seed, distribution).map(roundToFloat16);
}

/**
 * Roughly normal values of unit variance, as the stage-2 reference kit makes its large inputs:
 * f16(f32(((u0 + u1) + u2) + u3) * f32(sqrt(3) / 2)) with u_i of the stream `<name>:<i>`.
 */
export function syntheticNormals(name: string, shape: readonly number[], seed: number): Float32Array {
	const count = elements(shape);
	const sum = syntheticUniforms(`${name}:0`, count, seed);
	for (let term = 1; term < 4; term++) {
		const next = syntheticUniforms(`${name}:${term}`, count, seed);
		for (let i = 0; i < count; i++) sum[i] += next[i];
	}
	const factor = Math.fround(Math.sqrt(3) / 2);
	return sum.map((value) => roundToFloat16(Math.fround(value * factor)));
}

/**
 * Distribution of the parameter `name` (without its component) of a synthetic checkpoint, so that every layer does something and
 * nothing explodes. `gain` scales weight matrices.
 */
export function initRule(name: string, shape: readonly number[], gain = 1): Distribution {
	const leaf = name.slice(name.lastIndexOf(".") + 1);
	if (
		["cls_token", "register_tokens", "pos_embed", "class_embedding", "mask_token"].includes(leaf) ||
		name.includes("position_embedding")
	) {
		return { offset: 0, scale: 0.5 };
	}
	// RMS-norm gamma [heads, size], or the layer scale of a vision transformer [width].
	if (leaf === "gamma") return shape.length === 2 ? { offset: 1, scale: 0.3 } : { offset: 0.6, scale: 0.3 };
	if (leaf === "bias") return { offset: 0, scale: 0.2 };
	if (shape.length <= 1) return { offset: 1, scale: 0.3 };
	const fanIn = elements(shape.slice(1));
	return { offset: 0, scale: (gain * Math.sqrt(3)) / Math.sqrt(fanIn) };
}

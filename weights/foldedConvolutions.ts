import { damaged, quoted } from "./damaged.ts";
import type { StoredTensor, TensorSource } from "./source.ts";
import { describeShape, sameShape, toFloat32 } from "./storedTensor.ts";

/** A tensor that can be read when it is wanted. */
export interface ReadableTensor {
	readonly shape: readonly number[];
	read(): Promise<StoredTensor>;
}

/** A convolution, and the batch normalisation behind it where it is stored apart. */
export interface FoldableConvolution {
	/** In the state dict, such as "stage1.rebnconvin.conv_s1". */
	readonly name: string;
	/** [columns, channels, ...kernel]. */
	readonly weight: ReadableTensor;
	/** [columns]; zeros where absent. */
	readonly bias: ReadableTensor | undefined;
	/** Each [columns]. */
	readonly norm:
		| {
				readonly scale: ReadableTensor;
				readonly offset: ReadableTensor;
				readonly mean: ReadableTensor;
				readonly variance: ReadableTensor;
				readonly eps: number;
		  }
		| undefined;
}

/**
 * The convolutions as "NAME.weight" and "NAME.bias", F32, batch normalisation in evaluation mode folded in, in f64 and rounded once:
 * w' = w g / sqrt(variance + eps), b' = (b - mean) g / sqrt(variance + eps) + offset. Throws code "checkpoint" where shapes do not fit.
 */
export function foldedConvolutions(file: string, convolutions: readonly FoldableConvolution[]): TensorSource {
	const entries = new Map<string, { readonly dtype: "F32"; readonly shape: readonly number[] }>();
	const readers = new Map<string, () => Promise<Float32Array>>();
	for (const { name, weight, bias, norm } of convolutions) {
		const columns = weight.shape[0];
		const parts = [bias, norm?.scale, norm?.offset, norm?.mean, norm?.variance];
		for (const part of parts) {
			if (part === undefined || sameShape(part.shape, [columns])) continue;
			throw damaged(file, `what belongs to the convolution ${quoted(name)} must be [${columns}], got ${describeShape(part.shape)}`);
		}
		const factors = async () => {
			if (norm === undefined) return undefined;
			const [scale, variance] = [await values(norm.scale), await values(norm.variance)];
			return Float64Array.from(scale, (value, i) => value / Math.sqrt(variance[i] + norm.eps));
		};
		entries.set(`${name}.weight`, { dtype: "F32", shape: weight.shape });
		entries.set(`${name}.bias`, { dtype: "F32", shape: [columns] });
		readers.set(`${name}.weight`, async () => {
			const [stored, factor] = [await values(weight), await factors()];
			if (factor === undefined) return stored;
			const inner = stored.length / columns;
			return stored.map((value, i) => value * factor[Math.floor(i / inner)]);
		});
		readers.set(`${name}.bias`, async () => {
			const stored = bias === undefined ? new Float32Array(columns) : await values(bias);
			const factor = await factors();
			if (norm === undefined || factor === undefined) return stored;
			const [mean, offset] = [await values(norm.mean), await values(norm.offset)];
			return stored.map((value, i) => (value - mean[i]) * factor[i] + offset[i]);
		});
	}
	return {
		name: file,
		entries,
		async read(name, shape) {
			const [entry, reader] = [entries.get(name), readers.get(name)];
			if (entry === undefined || reader === undefined) throw damaged(file, `has no tensor ${quoted(name)}`);
			if (!sameShape(entry.shape, shape))
				throw damaged(file, `tensor ${quoted(name)} must be ${describeShape(shape)}, got ${describeShape(entry.shape)}`);
			const made = await reader();
			return { ...entry, bytes: new Uint8Array(made.buffer, made.byteOffset, made.byteLength) };
		},
	};
}

async function values(tensor: ReadableTensor): Promise<Float32Array> {
	return toFloat32(await tensor.read());
}

/** The convolutions of a state dict whose norms are called bn_s1 beside conv_s1 (U2NET's). Throws code "checkpoint" for anything else in it. */
export function convolutionsOfStateDict(source: TensorSource, eps: number): readonly FoldableConvolution[] {
	const entries = source.entries ?? new Map<string, { readonly shape: readonly number[] }>();
	const used = new Set<string>();
	const tensor = (name: string): ReadableTensor | undefined => {
		const entry = entries.get(name);
		if (entry === undefined) return undefined;
		used.add(name);
		return { shape: entry.shape, read: () => source.read(name, entry.shape) };
	};
	const needed = (name: string): ReadableTensor => {
		const found = tensor(name);
		if (found === undefined) throw damaged(source.name, `has no tensor ${quoted(name)}`);
		return found;
	};
	const convolutions = [...entries].flatMap(([key, { shape }]): FoldableConvolution[] => {
		if (!key.endsWith(".weight") || shape.length !== 4) return [];
		const name = key.slice(0, -".weight".length);
		const norm = name.replace(/conv_s1$/, "bn_s1");
		const normed = norm !== name && entries.has(`${norm}.weight`);
		return [
			{
				name,
				weight: needed(key),
				bias: tensor(`${name}.bias`),
				norm: normed
					? {
							scale: needed(`${norm}.weight`),
							offset: needed(`${norm}.bias`),
							mean: needed(`${norm}.running_mean`),
							variance: needed(`${norm}.running_var`),
							eps,
						}
					: undefined,
			},
		];
	});
	const left = [...entries.keys()].filter((name) => !used.has(name) && !name.endsWith(".num_batches_tracked"));
	if (left.length > 0) {
		const shown = left.slice(0, 5).map((name) => quoted(name));
		throw damaged(source.name, `holds ${left.length} tensors that belong to no convolution (${shown.join(", ")})`, "Give a U2NET.");
	}
	return convolutions;
}

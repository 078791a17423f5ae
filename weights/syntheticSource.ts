import type { Tensor } from "../engine/gpu/tensor.ts";
import { type Distribution, initRule, syntheticFloat16, syntheticKey } from "../engine/random/synthetic.ts";
import { gaussianOffsetPerturbation, gridPositionEmbedding } from "./computedBuffers.ts";
import type { StoredTensor, TensorSource, WeightLayout } from "./source.ts";

/** All that a kernel needs to make a synthetic tensor: element i is f16(offset + scale * u(key, i)), see engine/random/synthetic.ts. */
export interface SyntheticStream extends Distribution {
	readonly key: number;
}

/** Fills `target`, which has its buffer, with the stream of a tensor of `shape`, rearranged by `layout`; false where it cannot. */
export type SyntheticFill = (stream: SyntheticStream, shape: readonly number[], layout: WeightLayout, target: Tensor) => Promise<boolean>;

/** What a source of synthetic tensors makes. */
export interface SyntheticOptions {
	/** What messages call it, such as "synthetic:tiny/vae". */
	readonly name: string;
	readonly seed: number;
	/** Generator names are "<component>/<parameter>"; where absent, the parameter alone. */
	readonly component?: string;
	/** Where a parameter's numbers come from, and under which generator name if not its own; default `initRule` with the component. */
	readonly distributionOf?: (parameter: string, shape: readonly number[]) => Distribution & { readonly generator?: string };
	/** Makes large tensors on the GPU. */
	readonly fillOnDevice?: SyntheticFill;
}

/** Where the voxel size of a Gaussian decoder is not the released one, its offsets come from the configuration instead. */
const releasedVoxelSize = 1.5;

/** Values of a computed buffer, or undefined for a learned parameter. */
function computedBuffer(parameter: string, shape: readonly number[]): Float32Array | undefined {
	const leaf = parameter.slice(parameter.lastIndexOf(".") + 1);
	if (leaf === "pos_emb" && shape.length === 2) return gridPositionEmbedding(Math.round(Math.cbrt(shape[0])), shape[1]);
	if (leaf === "offset_perturbation" && shape.length === 2) return gaussianOffsetPerturbation(shape[0], releasedVoxelSize);
	return undefined;
}

/**
 * A checkpoint component that exists only as a rule: any tensor asked for is made from its name, F16; computed buffers are F32. The same
 * numbers as the reference kit's synthetic.py.
 */
export function syntheticSource(options: SyntheticOptions): TensorSource {
	const { seed, component, distributionOf = initRule, fillOnDevice } = options;
	const describe = (parameter: string, shape: readonly number[]) => {
		const { generator, offset, scale } = { generator: undefined, ...distributionOf(parameter, shape) };
		return { generator: generator ?? (component === undefined ? parameter : `${component}/${parameter}`), offset, scale };
	};
	return {
		name: options.name,
		entries: undefined,
		async read(parameter, shape): Promise<StoredTensor> {
			const computed = computedBuffer(parameter, shape);
			if (computed !== undefined) return { dtype: "F32", shape, bytes: new Uint8Array(computed.buffer) };
			const { generator, offset, scale } = describe(parameter, shape);
			return { dtype: "F16", shape, bytes: new Uint8Array(syntheticFloat16(generator, shape, seed, { offset, scale }).buffer) };
		},
		...(fillOnDevice && {
			async fillOnDevice(parameter: string, shape: readonly number[], layout: WeightLayout, target: Tensor) {
				if (computedBuffer(parameter, shape) !== undefined) return false;
				const { generator, offset, scale } = describe(parameter, shape);
				return fillOnDevice({ key: syntheticKey(generator, seed), offset, scale }, shape, layout, target);
			},
		}),
	};
}

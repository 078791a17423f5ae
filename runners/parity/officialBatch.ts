import { concatenated, split, withNoiseLevel } from "../../engine/stages/imageArrangement.ts";
import type { HostTensor } from "./adapter.ts";
import { permuted } from "./recordedRun.ts";

// The official 2D network has its images in the order [domain, half, view] and channels first: [20, c, h, w] = N_u, N_c, C_u, C_c of 5
// views each. Ours is [half, view, domain, h, w, c]. Both orders meet here and nowhere else.

type Values = HostTensor & { readonly data: Float32Array };

/** [domains * halves * views, c, h, w] to [halves * views * domains, h, w, c]. */
export function imagesFromOfficial(x: HostTensor, halves: number): Values {
	const [images, channels, height, width] = x.shape;
	const y = permuted(x, [1, 2, 0, 4, 5, 3], [2, halves, images / 2 / halves, channels, height, width]);
	return { shape: [images, height, width, channels], data: y.data };
}

/** The way back. */
export function imagesToOfficial(x: HostTensor, halves: number): Values {
	const [images, height, width, channels] = x.shape;
	const y = permuted(x, [2, 0, 1, 5, 3, 4], [halves, images / 2 / halves, 2, height, width, channels]);
	return { shape: [images, channels, height, width], data: y.data };
}

/** [domains * halves * views, ...rest] to [halves * views * domains, ...rest], for tokens and vectors. */
export function rowsFromOfficial(x: HostTensor, halves: number): Values {
	const [images, ...rest] = x.shape;
	const y = permuted(x, [1, 2, 0, 3], [2, halves, images / 2 / halves, rest.reduce((a, b) => a * b, 1)]);
	return { shape: x.shape, data: y.data };
}

/** The way back, for `images` images. */
export function rowsToOfficial(x: HostTensor, halves: number, images = x.shape[0]): Values {
	const width = x.data.length / images;
	const y = permuted(x, [2, 0, 1, 3], [halves, images / 2 / halves, 2, width]);
	return { shape: x.shape, data: y.data };
}

/** The same rows again and again, as many as `shape` has: what is the same in both halves, or for every image, is computed once. */
export function repeated(data: HostTensor["data"], shape: readonly number[]): Float32Array {
	const count = shape.reduce((a, b) => a * b, 1);
	return Float32Array.from({ length: count }, (_, i) => data[i % data.length]);
}

/** [rows, width] embeddings to [rows, 2 width]: every row with the sinusoid of its noise level. */
export function withNoiseLevels({ shape: [rows], data }: HostTensor, level: number): Values {
	const labelled = concatenated(split(Float32Array.from(data), rows).map((row) => withNoiseLevel(row, level)));
	return { shape: [rows, labelled.length / rows], data: labelled };
}

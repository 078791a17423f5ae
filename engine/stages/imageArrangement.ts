import { domains, type MultiviewLayout } from "../layers/multiviewLayout.ts";
import { timestepEmbedding } from "../samplers/timestepEmbedding.ts";

// Arrays of a multi-view network on the host. Upstream has the images of a half as [normals of all views, colours of all views], channels
// first; ours are view-major, (front normal, front colour), (right normal, ..., channels last.

/** [channels, n] to [n, channels]. */
export function channelsLast(values: Float32Array, channels: number): Float32Array {
	const count = values.length / channels;
	const arranged = new Float32Array(values.length);
	for (let c = 0; c < channels; c++) {
		for (let i = 0; i < count; i++) arranged[i * channels + c] = values[c * count + i];
	}
	return arranged;
}

/** Upstream's [domain][view][channel][rest] to our [view][domain][rest][channel]; without channels the rows stay as they are. */
export function imagesFromOfficial(values: Float32Array, views: number, channels?: number): Float32Array {
	const official = split(values, views * domains);
	const images = Array.from({ length: views * domains }, (_, i) => official[(i % domains) * views + Math.floor(i / domains)]);
	return concatenated(channels === undefined ? images : images.map((image) => channelsLast(image, channels)));
}

/** For every image of one half the values of the picture it is conditioned on: of [person, face] the face for the face view. */
export function imagesOfPictures({ views, faceView }: MultiviewLayout, [person, face]: readonly Float32Array[]): Float32Array {
	return concatenated(Array.from({ length: views * domains }, (_, image) => (Math.floor(image / domains) === faceView ? face : person)));
}

/** An embedding of a picture with the sinusoid of its noise level, as wide, behind it; of level 0 ones, then zeros. */
export function withNoiseLevel(embedding: Float32Array, level: number): Float32Array {
	return concatenated([embedding, timestepEmbedding([level], embedding.length)]);
}

/** Views of `count` equal parts. */
export function split(values: Float32Array, count: number): Float32Array[] {
	const each = values.length / count;
	return Array.from({ length: count }, (_, i) => values.subarray(i * each, (i + 1) * each));
}

/** One array after the other. */
export function concatenated(arrays: readonly Float32Array[]): Float32Array {
	const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const array of arrays) {
		all.set(array, at);
		at += array.length;
	}
	return all;
}

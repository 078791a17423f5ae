// Buffers of the checkpoints that are computed, not learned: a synthetic checkpoint holds them with their own values.

/**
 * Position embedding of a cubic grid, [side^3, channels], rows in (x, y, z) order with z fastest. Per axis floor(channels / 6) sines, then as many
 * cosines, of 10000^(-i / count); zeros fill the rest. float32 steps as in TRELLIS' AbsolutePositionEmbedder.
 */
export function gridPositionEmbedding(side: number, channels: number): Float32Array {
	const count = Math.floor(channels / 6);
	const frequencies = Float32Array.from({ length: count }, (_, i) => 1 / Math.fround(10000 ** Math.fround(i / count)));
	// [side, 2 count]: what a coordinate contributes, whichever its axis.
	const ofCoordinate = new Float32Array(side * 2 * count);
	for (let coordinate = 0; coordinate < side; coordinate++) {
		for (let i = 0; i < count; i++) {
			const angle = Math.fround(coordinate * frequencies[i]);
			ofCoordinate[coordinate * 2 * count + i] = Math.sin(angle);
			ofCoordinate[coordinate * 2 * count + count + i] = Math.cos(angle);
		}
	}
	const embedding = new Float32Array(side ** 3 * channels);
	for (let row = 0; row < side ** 3; row++) {
		const position = [Math.floor(row / side ** 2), Math.floor(row / side) % side, row % side];
		position.forEach((coordinate, axis) => {
			const part = ofCoordinate.subarray(coordinate * 2 * count, (coordinate + 1) * 2 * count);
			embedding.set(part, row * channels + axis * 2 * count);
		});
	}
	return embedding;
}

/** The digits of `index` in `base`, mirrored at the point: the van der Corput sequence. */
function radicalInverse(base: number, index: number): number {
	let value = 0;
	let digit = 1 / base;
	for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
		value += digit * (rest % base);
		digit /= base;
	}
	return value;
}

/**
 * Offsets of the Gaussians of a voxel before the tanh, [count, 3]: atanh((2 h - 1) / voxelSize) of the Hammersley points
 * h = (i / count, base 2, base 3). Upstream: SLatGaussianDecoder._build_perturbation.
 */
export function gaussianOffsetPerturbation(count: number, voxelSize: number): Float32Array {
	const offsets = new Float32Array(count * 3);
	for (let i = 0; i < count; i++) {
		[i / count, radicalInverse(2, i), radicalInverse(3, i)].forEach((h, axis) => {
			const centred = Math.fround(Math.fround(2 * Math.fround(h)) - 1);
			offsets[i * 3 + axis] = Math.atanh(Math.fround(centred / voxelSize));
		});
	}
	return offsets;
}

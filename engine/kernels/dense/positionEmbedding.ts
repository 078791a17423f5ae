/**
 * Sinusoids of integer positions, [positions, channels] in float32: per axis f = floor(channels / (2 * axes)) sines, then as many
 * cosines, of position * 10000^(-i / f), one axis after the other; zeros fill the rest. `coordinates` holds `axes` whole numbers a
 * position. Upstream: TRELLIS' AbsolutePositionEmbedder, whose float32 steps it follows. A table for graph constants: the sine of a GPU
 * loses digits at these angles.
 */
export function positionEmbedding(coordinates: ArrayLike<number>, channels: number, axes = 3): Float32Array<ArrayBuffer> {
	const count = Math.floor(channels / (2 * axes));
	const frequencies = Float32Array.from({ length: count }, (_, i) => 1 / Math.fround(10000 ** Math.fround(i / count)));
	// A coordinate contributes the same 2 * count numbers on every axis.
	const contributions = new Map<number, Float32Array>();
	const contribution = (coordinate: number) => {
		let values = contributions.get(coordinate);
		if (values === undefined) {
			values = new Float32Array(2 * count);
			for (let i = 0; i < count; i++) {
				const angle = Math.fround(coordinate * frequencies[i]);
				values[i] = Math.sin(angle);
				values[count + i] = Math.cos(angle);
			}
			contributions.set(coordinate, values);
		}
		return values;
	};
	const positions = coordinates.length / axes;
	const embedding = new Float32Array(positions * channels);
	for (let position = 0; position < positions; position++) {
		for (let axis = 0; axis < axes; axis++) {
			embedding.set(contribution(coordinates[position * axes + axis]), position * channels + axis * 2 * count);
		}
	}
	return embedding;
}

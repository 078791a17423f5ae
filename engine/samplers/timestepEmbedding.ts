/**
 * Sinusoids of timesteps, [timesteps, width]: width / 2 cosines, then width / 2 sines of t * exp(-ln 10000 * i / (width / 2)), in float32
 * steps. torch: diffusers' `Timesteps(width, flip_sin_to_cos=True, downscale_freq_shift=0)` and TRELLIS' `TimestepEmbedder.timestep_embedding`.
 * Throws a RangeError where `width` is odd.
 */
export function timestepEmbedding(timesteps: readonly number[], width: number): Float32Array {
	if (width % 2 !== 0) throw new RangeError(`timestepEmbedding: width must be even, got ${width}`);
	const half = width / 2;
	const slope = Math.fround(-Math.log(10000));
	const frequencies = Float32Array.from({ length: half }, (_, i) => Math.exp(Math.fround(Math.fround(slope * i) / half)));
	const embedding = new Float32Array(timesteps.length * width);
	timesteps.forEach((timestep, row) => {
		for (let i = 0; i < half; i++) {
			const angle = Math.fround(Math.fround(timestep) * frequencies[i]);
			embedding[row * width + i] = Math.cos(angle);
			embedding[row * width + half + i] = Math.sin(angle);
		}
	});
	return embedding;
}

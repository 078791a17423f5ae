/** What `generate` needs at the official sizes; shown by `synchuman doctor` and in docs/tuning.md. */
export const requirements = Object.freeze({
	/** Oldest Node: major, minor. */
	node: Object.freeze([20, 20] as const),
	/**
	 * Bytes of GPU memory in f16 with weights part by part (staged): planned 6,090,479,856 for the diffusion of stage 1, the largest part, and
	 * the driver's own share (measured: 6,366,000,000 in all). f32 doubles weights and activations.
	 */
	stagedBytes: 6_500_000_000,
	/** The same with all weights on the card: planned 11,314,000,000 from the second picture on, and the driver's share. */
	residentBytes: 11_700_000_000,
	/** Bytes that one binding must show: what WebGPU guarantees; larger tensors are read in windows. */
	bindingBytes: 2 ** 27,
	/** Bytes of disk for the official checkpoints, and for the results of one picture. */
	weightsDiskBytes: 9_000_000_000,
	resultsDiskBytes: 250_000_000,
});

/** A triangle mesh in the world of the networks: box [-0.5, 0.5]^3, right-handed, z up, the person faces -y. */
export interface Mesh {
	/** [v, 3] x, y, z. */
	readonly positions: Float32Array;
	/** [f, 3] counter-clockwise seen from outside. */
	readonly faces: Uint32Array;
	/** [v, 3] sRGB, 0..1. */
	readonly colors?: Float32Array | undefined;
}

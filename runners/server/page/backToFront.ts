/** Buckets of depths. */
const buckets = 1 << 14;

/** Sorts points by their depth, farthest first. */
export type BackToFront = (viewMatrix: ArrayLike<number>, order: Uint32Array) => void;

/**
 * A counting sort of `positions` ([n, 3]) by their depth in 2^14 buckets: points of a bucket keep their order. Called with a column-major view
 * matrix (a camera looks along -z), it fills `order` with [n] indices.
 */
export function backToFront(positions: Float32Array): BackToFront {
	const count = positions.length / 3;
	const depths = new Float32Array(count);
	const counts = new Uint32Array(buckets + 1);
	return (view, order) => {
		const [x, y, z] = [view[2], view[6], view[10]];
		let [nearest, farthest] = [-Infinity, Infinity];
		for (let i = 0; i < count; i++) {
			const depth = x * positions[3 * i] + y * positions[3 * i + 1] + z * positions[3 * i + 2];
			depths[i] = depth;
			if (depth > nearest) nearest = depth;
			if (depth < farthest) farthest = depth;
		}
		const scale = nearest > farthest ? (buckets - 1) / (nearest - farthest) : 0;
		counts.fill(0);
		for (let i = 0; i < count; i++) counts[((depths[i] - farthest) * scale + 1) | 0]++;
		for (let bucket = 0; bucket < buckets; bucket++) counts[bucket + 1] += counts[bucket];
		for (let i = 0; i < count; i++) order[counts[((depths[i] - farthest) * scale) | 0]++] = i;
	};
}

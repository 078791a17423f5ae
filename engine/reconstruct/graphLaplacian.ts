/** Sum over edges of weight (x_b - x_a)^2 - 2 target (x_b - x_a), and over unknowns of anchor (x - wanted)^2: to be minimised. */
export interface GraphLaplacian {
	/** [e, 2] unknowns a and b. */
	readonly ends: Uint32Array;
	/** [e] */
	readonly weights: Float64Array;
	/** [e] */
	readonly targets: Float64Array;
	/** [n] above 0. */
	readonly anchors: Float64Array;
	/** [n] */
	readonly wanted: Float64Array;
}

/** Improves `values` [n] in place by so many steps of conjugate gradients with the diagonal as preconditioner; float64, always in one order. */
export function solveGraphLaplacian(
	{ ends, weights, targets, anchors, wanted }: GraphLaplacian,
	values: Float64Array,
	steps: number,
): void {
	const n = values.length;
	const diagonal = anchors.slice();
	const residual = new Float64Array(n);
	for (let i = 0; i < n; i++) residual[i] = anchors[i] * (wanted[i] - values[i]);
	for (let e = 0; e < weights.length; e++) {
		const [a, b] = [ends[e * 2], ends[e * 2 + 1]];
		diagonal[a] += weights[e];
		diagonal[b] += weights[e];
		const pull = targets[e] - weights[e] * (values[b] - values[a]);
		residual[a] -= pull;
		residual[b] += pull;
	}
	const scaled = Float64Array.from(residual, (value, i) => value / diagonal[i]);
	const direction = scaled.slice();
	const image = new Float64Array(n);
	let product = dot(residual, scaled);
	for (let step = 0; step < steps && product > 0; step++) {
		for (let i = 0; i < n; i++) image[i] = anchors[i] * direction[i];
		for (let e = 0; e < weights.length; e++) {
			const a = ends[e * 2];
			const b = ends[e * 2 + 1];
			const flow = weights[e] * (direction[b] - direction[a]);
			image[a] -= flow;
			image[b] += flow;
		}
		const length = product / dot(direction, image);
		for (let i = 0; i < n; i++) {
			values[i] += length * direction[i];
			residual[i] -= length * image[i];
			scaled[i] = residual[i] / diagonal[i];
		}
		const next = dot(residual, scaled);
		const share = next / product;
		for (let i = 0; i < n; i++) direction[i] = scaled[i] + share * direction[i];
		product = next;
	}
}

function dot(a: Float64Array, b: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
	return sum;
}

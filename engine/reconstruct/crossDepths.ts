import type { DepthLevel } from "./depthLevel.ts";
import type { Depths } from "./integrateDepths.ts";

/**
 * What the other two cameras would see of the body that lies between a pair's depths and inside its silhouette: for each row and each
 * depth t of the pair (a column of the other one) the first and the last column, to fractions, at which the body holds t; NaN where it nowhere
 * does. [side, side] each.
 */
export function crossDepths({ side, distance }: DepthLevel, { near, far }: Depths): Depths {
	const first = new Float32Array(side * side).fill(Number.NaN);
	const last = new Float32Array(side * side).fill(Number.NaN);
	for (let row = 0; row < side; row++) {
		for (let column = 0; column < side; column++) {
			const pixel = row * side + column;
			if (!(distance[pixel] < 0)) continue;
			const to = Math.min(side - 1, Math.floor(far[pixel]));
			for (let t = Math.max(0, Math.ceil(near[pixel])); t <= to; t++) {
				const at = row * side + t;
				if (Number.isNaN(first[at])) first[at] = column;
				last[at] = column;
			}
		}
		for (let t = 0; t < side; t++) {
			const at = row * side + t;
			if (Number.isNaN(first[at])) continue;
			first[at] -= beyond(row * side + first[at], -1, t);
			last[at] += beyond(row * side + last[at], 1, t);
		}
	}
	return { near: first, far: last };

	/** How far from `pixel` towards its neighbour the body still holds t, 0..1. */
	function beyond(pixel: number, step: 1 | -1, t: number): number {
		const next = pixel + step;
		if (Math.floor(next / side) !== Math.floor(pixel / side) || Number.isNaN(near[next])) return 0.5;
		let share = distance[next] < 0 ? 1 : distance[pixel] / (distance[pixel] - distance[next]);
		if (near[next] > t) share = Math.min(share, (t - near[pixel]) / (near[next] - near[pixel]));
		if (far[next] < t) share = Math.min(share, (far[pixel] - t) / (far[pixel] - far[next]));
		return share;
	}
}

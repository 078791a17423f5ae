/** The value of a map f32 [size, size] at column x and row y, between the centres of its pixels; outside the nearest pixel's. */
export function sampleMap(map: Float32Array, size: number, x: number, y: number): number {
	const [cx, cy] = [Math.min(Math.max(x, 0), size - 1.001), Math.min(Math.max(y, 0), size - 1.001)];
	const [left, top] = [Math.floor(cx), Math.floor(cy)];
	const at = top * size + left;
	const [u, v] = [cx - left, cy - top];
	return (map[at] * (1 - u) + map[at + 1] * u) * (1 - v) + (map[at + size] * (1 - u) + map[at + size + 1] * u) * v;
}

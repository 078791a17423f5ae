import { bodyCameras } from "../../engine/mesh/bodyViews.ts";
import type { FourViews } from "../../engine/reconstruct/bodyDepths.ts";

/** The four normal maps of an ellipsoid around the origin with its axes along the world's, half axes in the world's units. */
export function ellipsoidViews(size: number, [a, b, c]: readonly [number, number, number]): FourViews {
	const [front, right, back, left] = bodyCameras.map(({ direction, columnAxis }) => {
		const normal = new Uint8Array(size * size * 3).fill(255);
		for (let pixel = 0; pixel < size * size; pixel++) {
			const across = ((pixel % size) + 0.5) / size - 0.5;
			const z = 0.5 - (Math.floor(pixel / size) + 0.5) / size;
			const [own, depth] = columnAxis === 0 ? [a, b] : [b, a];
			const rest = 1 - (across / own) ** 2 - (z / c) ** 2;
			if (rest <= 0) continue;
			const towards = depth * Math.sqrt(rest) * (direction[0] + direction[1]);
			const [x, y] = columnAxis === 0 ? [across, towards] : [towards, across];
			const n = [x / a ** 2, z / c ** 2, -y / b ** 2];
			const length = Math.hypot(...n);
			normal.set(
				n.map((value) => Math.round((value / length + 1) * 127.5)),
				pixel * 3,
			);
		}
		return { size, normal };
	});
	return [front, right, back, left];
}

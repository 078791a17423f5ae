import type { Mesh } from "./mesh.ts";

/** A ball of the world. */
export interface Ball {
	readonly centre: readonly [number, number, number];
	readonly radius: number;
}

/** A head is so much of a standing figure's height; the rest of the ball is hair and chin. */
const [headShare, radiusShare] = [0.133, 0.09];

/** Half the width in which stage 1's face view looks for the head. */
const faceHalf = 1 / 6;

/** A ball around the head of an upright figure: what lies highest in the columns that stage 1's face view shows. */
export function headBall({ positions }: Mesh): Ball {
	let [top, bottom] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
	for (let i = 0; i < positions.length; i += 3) {
		bottom = Math.min(bottom, positions[i + 2]);
		if (Math.abs(positions[i]) <= faceHalf) top = Math.max(top, positions[i + 2]);
	}
	const height = Math.max(0, top - bottom);
	const sum = [0, 0, 0];
	let count = 0;
	for (let i = 0; i < positions.length; i += 3) {
		if (positions[i + 2] < top - headShare * height || Math.abs(positions[i]) > faceHalf) continue;
		count++;
		for (let axis = 0; axis < 3; axis++) sum[axis] += positions[i + axis];
	}
	const [x, y, z] = sum.map((value) => value / Math.max(1, count));
	return { centre: [x, y, z], radius: radiusShare * height };
}

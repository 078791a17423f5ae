import type { BodyCamera } from "./bodyViews.ts";
import type { Mesh } from "./mesh.ts";

/** What an orthographic camera sees of a mesh. */
export interface DepthRaster {
	/** Pixels per side over [-0.5, 0.5]. */
	readonly size: number;
	/** [size, size] largest position . direction at each pixel's centre; -Infinity where nothing is. Row 0 is z = 0.5. */
	readonly nearest: Float32Array;
}

/** Draws the mesh for one camera: pixel centres inside a triangle, borders included, keep the point nearest to the camera. */
export function depthRaster({ positions, faces }: Mesh, { direction, columnAxis }: BodyCamera, size: number): DepthRaster {
	const count = positions.length / 3;
	const projected = new Float64Array(count * 3); // column, row, towards the camera
	for (let i = 0; i < count; i++) {
		const [x, y, z] = [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
		projected[i * 3] = ((columnAxis === 0 ? x : y) + 0.5) * size - 0.5;
		projected[i * 3 + 1] = (0.5 - z) * size - 0.5;
		projected[i * 3 + 2] = x * direction[0] + y * direction[1] + z * direction[2];
	}
	const nearest = new Float32Array(size * size).fill(Number.NEGATIVE_INFINITY);
	for (let i = 0; i < faces.length; i += 3) drawTriangle(projected, faces[i] * 3, faces[i + 1] * 3, faces[i + 2] * 3, size, nearest);
	return { size, nearest };
}

function drawTriangle(p: Float64Array, a: number, b: number, c: number, size: number, nearest: Float32Array): void {
	const [ax, ay, bx, by, cx, cy] = [p[a], p[a + 1], p[b], p[b + 1], p[c], p[c + 1]];
	const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
	if (area === 0) return; // seen edge-on
	const lastColumn = Math.min(size - 1, Math.floor(Math.max(ax, bx, cx)));
	const lastRow = Math.min(size - 1, Math.floor(Math.max(ay, by, cy)));
	const firstColumn = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
	for (let y = Math.max(0, Math.ceil(Math.min(ay, by, cy))); y <= lastRow; y++) {
		for (let x = firstColumn; x <= lastColumn; x++) {
			const atB = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area;
			const atC = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area;
			if (atB < 0 || atC < 0 || atB + atC > 1) continue;
			const depth = p[a + 2] + atB * (p[b + 2] - p[a + 2]) + atC * (p[c + 2] - p[a + 2]);
			if (depth > nearest[y * size + x]) nearest[y * size + x] = depth;
		}
	}
}

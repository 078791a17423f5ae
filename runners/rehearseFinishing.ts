import { unwrapMesh } from "../engine/mesh/unwrap.ts";

/**
 * Unwraps a small ball, for its WebAssembly to be compiled well before it is needed: it begins slowly, half as fast, and what one thread has
 * made V8 compile serves all. Takes 0.2 s.
 */
export async function rehearseFinishing(): Promise<true> {
	await unwrapMesh(ball(44, 22, 0.4), { textureSize: 128, padding: 2 });
	return true;
}

/** A bumpy ball of 2 `around` (`down` - 1) faces. */
function ball(around: number, down: number, radius: number) {
	const positions: number[] = [0, 0, radius];
	for (let row = 1; row < down; row++) {
		for (let column = 0; column < around; column++) {
			const [theta, phi] = [(Math.PI * row) / down, (2 * Math.PI * column) / around];
			const distance = radius * (1 + 0.05 * Math.sin(9 * phi + 7 * theta));
			positions.push(distance * Math.sin(theta) * Math.cos(phi), distance * Math.sin(theta) * Math.sin(phi), distance * Math.cos(theta));
		}
	}
	positions.push(0, 0, -radius);
	const faces: number[] = [];
	const at = (row: number, column: number) => 1 + (row - 1) * around + (column % around);
	const last = positions.length / 3 - 1;
	for (let column = 0; column < around; column++) {
		faces.push(0, at(1, column), at(1, column + 1), last, at(down - 1, column + 1), at(down - 1, column));
		for (let row = 1; row < down - 1; row++) {
			const [a, b, c, d] = [at(row, column), at(row + 1, column), at(row + 1, column + 1), at(row, column + 1)];
			faces.push(a, b, c, a, c, d);
		}
	}
	return { positions: Float32Array.from(positions), faces: Uint32Array.from(faces) };
}

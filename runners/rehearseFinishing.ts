import { inpaintRadius, levelsOf, uncoveredTexels } from "../engine/mesh/bakeTexture.ts";
import { teleaInpaint } from "../engine/mesh/teleaInpaint.ts";
import { textureSamples } from "../engine/mesh/textureSamples.ts";
import { unwrapMesh } from "../engine/mesh/unwrap.ts";
import { bakeViews } from "../engine/splat/cameras.ts";

/** Sides of the texture and of the pictures. */
const [textureSize, pictureSize] = [128, 256];

/**
 * Everything that a finishing does on other threads, once, on a small ball: code runs slowly until the engine has compiled it, and a thread
 * waits for its first job anyway. Takes 0.2 to 0.4 s.
 */
export async function rehearseFinishing(): Promise<void> {
	const mesh = await unwrapMesh(ball(24, 16, 0.4), { textureSize, padding: 2 });
	const color = new Uint8Array(pictureSize * pictureSize * 4).fill(128);
	for (const { view, projection, orthographic } of bakeViews(3)) {
		const picture = { width: pictureSize, height: pictureSize, color, view, projection, rowsRunWithRaster: orthographic };
		textureSamples(mesh, picture, textureSize, levelsOf(textureSize));
	}
	const uncovered = uncoveredTexels(mesh, textureSize);
	teleaInpaint(new Uint8Array(textureSize * textureSize * 3), uncovered, textureSize, textureSize, inpaintRadius);
}

/** A ball of 2 `around` (`down` - 1) faces. */
function ball(around: number, down: number, radius: number) {
	const positions: number[] = [0, 0, radius];
	for (let row = 1; row < down; row++) {
		for (let column = 0; column < around; column++) {
			const [theta, phi] = [(Math.PI * row) / down, (2 * Math.PI * column) / around];
			positions.push(radius * Math.sin(theta) * Math.cos(phi), radius * Math.sin(theta) * Math.sin(phi), radius * Math.cos(theta));
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

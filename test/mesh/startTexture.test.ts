import { expect, it } from "vitest";
import { startTexture } from "../../engine/mesh/startTexture.ts";
import type { TextureSamples } from "../../engine/mesh/textureSamples.ts";

/** A square chart over the lower left quarter of the texture; both triangles lie in it. */
const mesh = {
	positions: new Float32Array(12),
	faces: Uint32Array.of(0, 1, 2, 0, 2, 3),
	uvs: Float32Array.of(0, 0, 0.5, 0, 0.5, 0.5, 0, 0.5),
};
const colors = Float32Array.from([0.2, 0.2, 0.2, 0.2].flatMap((value) => [value, 0, 1 - value]));

function samples(rows: readonly (readonly [u: number, v: number, level: number, rgb: number])[]): TextureSamples {
	const values = new Uint32Array(rows.length * 4);
	const floats = new Float32Array(values.buffer);
	rows.forEach(([u, v, level, rgb], i) => {
		floats.set([u, v, level], i * 4);
		values[i * 4 + 3] = rgb;
	});
	return { count: rows.length, values, uncovered: 0 };
}

it("takes what the pixels say, and else the vertices' colours", () => {
	const size = 8;
	const at = (column: number, row: number) => [(column + 0.5) / size, (row + 0.5) / size] as const;
	const texture = startTexture(
		mesh,
		colors,
		[samples([[...at(1, 1), 0, 0x0000ff]]), samples([[...at(1, 1), 2, 0xff0000]]), samples([[0, 0, 0, 0xffffff]])],
		size,
	);
	const texel = (column: number, row: number) => [...texture.subarray((row * size + column) * 3, (row * size + column) * 3 + 3)];
	// The pixel of level 2 counts 1 / 4096.
	expect(texel(1, 1)[0]).toBeCloseTo(4096 / 4097, 5);
	expect(texel(1, 1)[2]).toBeCloseTo(1 / 4097, 5);
	for (const [i, value] of [0.2, 0, 0.8].entries()) expect(texel(3, 2)[i]).toBeCloseTo(value, 6);
	expect(texel(0, 0)[0]).toBeCloseTo(0.2, 6); // a pixel beside the mesh says nothing
	expect(texel(6, 6)).toEqual([0, 0, 0]);
});

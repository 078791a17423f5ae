import type { TexturedMesh } from "../../engine/mesh/textureSamples.ts";

/** A sphere with one chart and an open seam, the mesh of the golden bake_texture (reference/stage2/golden.py, uv_sphere). */
export function uvSphere(around = 12, along = 8, radius = 0.4): TexturedMesh {
	const positions: number[] = [];
	const uvs: number[] = [];
	const faces: number[] = [];
	for (let i = 0; i <= around; i++) {
		for (let j = 0; j <= along; j++) {
			const [u, v] = [i / around, j / along];
			const [theta, phi] = [u * 2 * Math.PI, (0.04 + 0.92 * v) * Math.PI];
			positions.push(radius * Math.sin(phi) * Math.cos(theta), radius * Math.sin(phi) * Math.sin(theta), radius * Math.cos(phi));
			uvs.push(0.03 + 0.8 * u, 0.05 + 0.9 * v);
		}
	}
	for (let i = 0; i < around; i++) {
		for (let j = 0; j < along; j++) {
			const a = i * (along + 1) + j;
			const b = a + along + 1;
			faces.push(a, a + 1, b, b, a + 1, b + 1);
		}
	}
	return { positions: Float32Array.from(positions), uvs: Float32Array.from(uvs), faces: Uint32Array.from(faces) };
}

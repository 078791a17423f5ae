import { expect, it } from "vitest";
import { packCharts } from "../../engine/mesh/packCharts.ts";

/** Two triangles that make a square, and one apart. */
const part = { uvs: Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1, 3, 0, 4, 0, 3, 1), faces: Uint32Array.of(0, 1, 2, 0, 2, 3, 4, 5, 6) };

it("lays the charts of all parts side by side, at one scale", async () => {
	const { parts, charts } = await packCharts({ parts: [part, part], texelsPerUnit: 64, padding: 2 });
	expect(charts).toBe(4);
	const taken = new Set<string>();
	for (const { uvs, faces, sourceVertices } of parts) {
		expect(faces.map((vertex) => sourceVertices[vertex])).toEqual(part.faces);
		expect(uvs.every((value) => value >= 0 && value <= 1)).toBe(true);
		for (const vertex of faces) taken.add(`${uvs[vertex * 2]} ${uvs[vertex * 2 + 1]}`);
	}
	expect(taken.size).toBe(14);
});

import { expect, it } from "vitest";
import { chartPart } from "../../engine/mesh/chartPart.ts";
import { ballMesh } from "../support/ballMesh.ts";

it("flattens a ball into charts of about its area, faces and corners in their order", async () => {
	const { positions, faces } = ballMesh([0, 0, 0], 0.4, 16);
	const charted = await chartPart({ positions, faces, maximumArea: 0.2, texelsPerUnit: 400 });
	expect(charted.faces.map((vertex) => charted.sourceVertices[vertex])).toEqual(faces);
	let area = 0;
	for (let f = 0; f < faces.length; f += 3) {
		const [a, b, c] = [0, 1, 2].map((k) => charted.faces[f + k] * 2);
		const { uvs } = charted;
		area += Math.abs((uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[c] - uvs[a]) * (uvs[b + 1] - uvs[a + 1])) / 2;
	}
	expect(area / (4 * Math.PI * 0.16)).toBeGreaterThan(0.85);
	expect(area / (4 * Math.PI * 0.16)).toBeLessThan(1.2);
});

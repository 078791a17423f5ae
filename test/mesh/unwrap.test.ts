import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { type UnwrappedMesh, unwrapMesh } from "../../engine/mesh/unwrap.ts";
import { ballMesh } from "../support/ballMesh.ts";

const ball = ballMesh([0, 0, 0], 0.4, 12);
const colored = { ...ball, colors: ball.positions.map((value) => value + 0.5) };
const options = { textureSize: 256, padding: 2 };

/** Of each face: the area in the texture. */
function textureAreas({ uvs, faces }: UnwrappedMesh): number[] {
	return Array.from({ length: faces.length / 3 }, (_, f) => {
		const [a, b, c] = [0, 1, 2].map((k) => faces[f * 3 + k] * 2);
		return Math.abs((uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[c] - uvs[a]) * (uvs[b + 1] - uvs[a + 1])) / 2;
	});
}

it("gives every corner a place in the texture and keeps faces and positions, twice the same", async () => {
	const steps: string[] = [];
	const unwrapped = await unwrapMesh(colored, { ...options, onProgress: (done, total) => steps.push(`${done}/${total}`) });
	expect(steps).toEqual(["1/2", "2/2"]);
	expect([...unwrapped.faces].map((vertex) => unwrapped.sourceVertices[vertex])).toEqual([...ball.faces]);
	unwrapped.sourceVertices.forEach((source, v) => {
		expect(unwrapped.positions.subarray(v * 3, v * 3 + 3)).toEqual(ball.positions.subarray(source * 3, source * 3 + 3));
		expect(unwrapped.colors?.[v * 3]).toBe(colored.colors[source * 3]);
	});
	expect(unwrapped.uvs.every((value) => value >= 0 && value <= 1)).toBe(true);
	expect(unwrapped.charts).toBeGreaterThan(0);
	const areas = textureAreas(unwrapped);
	expect(areas.every((area) => area > 0)).toBe(true);
	const total = areas.reduce((a, b) => a + b, 0);
	expect(total).toBeGreaterThan(0.4);
	expect(total).toBeLessThanOrEqual(1);
});

it("gives the same bytes after whatever the library did before", async () => {
	const [small, large] = [ball, ballMesh([0, 0, 0], 0.4, 33)];
	const results = new Set<string>();
	for (let i = 0; i < 3; i++) {
		const { uvs, faces } = await unwrapMesh(large, options);
		results.add(createHash("sha256").update(uvs).update(faces).digest("hex"));
		if (i % 2 === 0) await unwrapMesh(small, options);
	}
	expect(results.size).toBe(1);
});

it("gives a focus more texels", async () => {
	const shareOfTop = ({ areas, mesh }: { readonly areas: number[]; readonly mesh: UnwrappedMesh }) => {
		const isTop = (f: number) => mesh.positions[mesh.faces[f * 3] * 3 + 2] > 0.3;
		const sum = (some: readonly number[]) => some.reduce((a, b) => a + b, 0);
		return sum(areas.filter((_, f) => isTop(f))) / sum(areas.filter((_, f) => !isTop(f)));
	};
	const measured = async (share: number) => {
		const mesh = await unwrapMesh(ball, { ...options, focus: { centre: [0, 0, 0.4], radius: 0.3, share } });
		return shareOfTop({ areas: textureAreas(mesh), mesh });
	};
	const [plain, focused] = [await measured(1), await measured(4)];
	expect(focused / plain).toBeGreaterThan(1.8);
});

it("takes faces without area, doubled ones and edges of three faces", async () => {
	const first = ball.positions.length / 3;
	const positions = Float32Array.from([...ball.positions, ...ball.positions.subarray(9, 12), 0, 0, 0.9]);
	const added = [3, first, 4, 5, 5, 6, ...ball.faces.subarray(30, 33), ball.faces[0], ball.faces[1], first + 1];
	const odd = { positions, faces: Uint32Array.from([...ball.faces, ...added]) };
	const { faces, sourceVertices, uvs } = await unwrapMesh(odd, options);
	expect(faces.map((vertex) => sourceVertices[vertex])).toEqual(odd.faces);
	expect(uvs.every((value) => value >= 0 && value <= 1)).toBe(true);
});

it("refuses a single triangle", async () => {
	await expect(unwrapMesh({ ...ball, faces: Uint32Array.of(0, 1, 2) }, options)).rejects.toMatchObject({ code: "input" });
});

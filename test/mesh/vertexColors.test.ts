import { describe, expect, it } from "vitest";
import type { BodyView } from "../../engine/mesh/bodyViews.ts";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { vertexColors } from "../../engine/mesh/vertexColors.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";

const size = 64;

/** A picture whose pixel (u, v) has colour(u, v); body everywhere unless told. */
function view(color: (u: number, v: number) => readonly number[], isBody: (u: number, v: number) => boolean = () => true): BodyView {
	const colors = new Uint8Array(size * size * 3);
	const normals = new Uint8Array(size * size * 3);
	for (let i = 0; i < size * size; i++) {
		const [u, v] = [((i % size) + 0.5) / size, (Math.floor(i / size) + 0.5) / size];
		colors.set(
			color(u, v).map((value) => Math.round(value * 255)),
			i * 3,
		);
		normals.fill(isBody(u, v) ? 128 : 255, i * 3, i * 3 + 3);
	}
	return { width: size, height: size, color: colors, normal: normals };
}

const plain = (color: readonly number[]) => view(() => color);
const [red, green, blue, yellow] = [
	[1, 0, 0],
	[0, 1, 0],
	[0, 0, 1],
	[1, 1, 0],
] as const;

function colorOf(mesh: Mesh, views: readonly BodyView[]) {
	const colors = vertexColors(mesh, vertexNormals(mesh), views);
	expect(colors.every((value) => value >= 0 && value <= 1)).toBe(true);
	/** Colour of the vertex furthest along a direction. */
	return (direction: readonly [number, number, number], from = 0, to = mesh.positions.length / 3) => {
		let best = from;
		const reach = (v: number) =>
			mesh.positions[v * 3] * direction[0] + mesh.positions[v * 3 + 1] * direction[1] + mesh.positions[v * 3 + 2] * direction[2];
		for (let v = from; v < to; v++) if (reach(v) > reach(best)) best = v;
		return [...colors.subarray(best * 3, best * 3 + 3)];
	};
}

describe("vertexColors", () => {
	const ball = ballMesh([0, 0, 0], 0.3, 32);

	it("colours each side from its view: front -y, right +x, back +y, left -x", () => {
		const color = colorOf(ball, [red, green, blue, yellow].map(plain));
		expect(color([0, -1, 0])).toEqual(red);
		expect(color([1, 0, 0])).toEqual(green);
		expect(color([0, 1, 0])).toEqual(blue);
		expect(color([-1, 0, 0])).toEqual(yellow);
		const between = color([Math.SQRT1_2, -Math.SQRT1_2, 0]);
		expect(between[0]).toBeCloseTo(0.5, 1);
		expect(between[1]).toBeCloseTo(0.5, 1);
	});

	it("reads all pictures by x or y to the right and z up; those of the back and the left are stored mirrored", () => {
		const color = colorOf(
			ball,
			[0, 1, 2, 3].map(() => view((u, v) => [u, 1 - v, 0])),
		);
		const close = (direction: readonly [number, number, number], right: number, up: number) => {
			const [r, g] = color(direction);
			expect(Math.abs(r - (0.5 + right))).toBeLessThan(0.03);
			expect(Math.abs(g - (0.5 + up))).toBeLessThan(0.03);
		};
		const unit = (x: number, y: number, z: number) => [x, y, z].map((value) => value / Math.hypot(x, y, z)) as [number, number, number];
		close(unit(0.5, -1, 0.4), 0.3 * (0.5 / Math.hypot(0.5, 1, 0.4)), 0.3 * (0.4 / Math.hypot(0.5, 1, 0.4)));
		close(unit(0.3, 1, -0.4), 0.3 * (0.3 / Math.hypot(0.3, 1, 0.4)), -0.3 * (0.4 / Math.hypot(0.3, 1, 0.4)));
		close(unit(1, 0.3, 0), 0.3 * (0.3 / Math.hypot(0.3, 1)), 0);
		close(unit(-1, 0.3, 0), 0.3 * (0.3 / Math.hypot(0.3, 1)), 0);
	});

	it("does not paint what something nearer hides", () => {
		const behind = ballMesh([0, 0.3, 0], 0.1, 16);
		const mesh = joinMeshes(ballMesh([0, -0.2, 0], 0.2, 32), behind);
		const first = mesh.positions.length / 3 - behind.positions.length / 3;
		const color = colorOf(mesh, [red, green, blue, yellow].map(plain));
		const [r, , b] = color([0, -1, 0], first); // front of the hidden ball: from its sides, not from the front view
		expect(r < 0.9 || b > 0).toBe(true);
		expect(color([0, -1, 0], 0, first)).toEqual(red);
		expect(color([0, 1, 0], first)).toEqual(blue);
	});

	it("takes colours from neighbours where no view looks, and from body pixels only", () => {
		const color = colorOf(
			ball,
			[0, 1, 2, 3].map(() =>
				view(
					(_, v) => (v < 0.5 ? red : blue),
					(u, v) => Math.hypot(u - 0.5, v - 0.5) < 0.25,
				),
			),
		);
		expect(color([0, 0, 1])).toEqual(red);
		expect(color([0, 0, -1])).toEqual(blue);
	});

	it("paints a piece that no view sees grey", () => {
		const inner = ballMesh([0, 0, 0], 0.1, 8);
		const color = colorOf(joinMeshes(ball, inner), [red, green, blue, yellow].map(plain));
		expect(color([1, 0, 0], ball.positions.length / 3)).toEqual([0.5, 0.5, 0.5]);
	});
});

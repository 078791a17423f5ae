import { expect, it } from "vitest";
import type { Image } from "../../engine/image/image.ts";
import {
	type Figure,
	figureFrame,
	figurePictures,
	figurePicturesBytes,
	sideNames,
	sideView,
	turntableViews,
} from "../../engine/stages/figurePictures.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { testDevice } from "../support/gpu.ts";

/** A red ball to the +x, a green one to the front (-y), at different heights. */
const balls = [
	{ centre: [0.3, 0, 0.2], color: [1, 0, 0] },
	{ centre: [0, -0.3, -0.2], color: [0, 1, 0] },
] as const;
const meshes: Figure = {
	meshes: balls.map(({ centre, color }) => {
		const ball = ballMesh(centre, 0.1, 8);
		return { ...ball, colors: ball.positions.map((_, i) => color[i % 3]) };
	}),
};
const gaussians: Figure = {
	gaussians: {
		count: 2,
		positions: Float32Array.from(balls.flatMap(({ centre }) => [...centre])),
		featuresDc: Float32Array.from(balls.flatMap(({ color }) => color.map((value) => (value - 0.5) / 0.28209479))),
		scales: new Float32Array(6).fill(0.05),
		rotations: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0),
		opacities: Float32Array.of(0.99, 0.99),
	},
};

async function pictures(figure: Figure, views = sideNames.map((name) => sideView(name)), size = 64): Promise<Image[]> {
	const device = await testDevice();
	const made: Image[] = [];
	const before = device.memory.currentBytes;
	device.memory.peakBytes = before;
	for await (const picture of figurePictures(device, { figure, views, size, shading: "color" })) made.push(picture);
	expect(device.memory.currentBytes).toBe(before);
	expect(device.memory.peakBytes - before).toBeLessThanOrEqual(figurePicturesBytes(device, { figure, size }));
	return made;
}

/** Where a colour's middle lies, in 0..1 from the left and the top. */
function middle({ width, height, data }: Image, channel: number): [number, number] {
	let [sum, x, y] = [0, 0, 0];
	for (let i = 0; i < width * height; i++) {
		if (data[i * 4 + 3] < 128 || data[i * 4 + channel] < 128) continue;
		sum++;
		x += (i % width) + 0.5;
		y += Math.floor(i / width) + 0.5;
	}
	return [x / sum / width, y / sum / height];
}
const near = (x: number, y: number) => [expect.closeTo(x, 1), expect.closeTo(y, 1)];

it.each([
	["meshes", meshes],
	["Gaussians", gaussians],
])("shows %s from four sides as cameras there see them", async (_, figure) => {
	const [front, right, back, left] = await pictures(figure);
	expect(middle(front, 0)).toEqual(near(0.8, 0.3));
	expect(middle(front, 1)).toEqual(near(0.5, 0.7));
	expect(middle(right, 0)).toEqual(near(0.5, 0.3));
	expect(middle(right, 1)).toEqual(near(0.2, 0.7)); // the front is on the left
	expect(middle(back, 0)).toEqual(near(0.2, 0.3));
	expect(middle(left, 1)).toEqual(near(0.8, 0.7));
	const stored = await pictures(
		figure,
		sideNames.map((name) => sideView(name, true)),
	);
	expect(stored.slice(0, 2)).toEqual([front, right]);
	expect(middle(stored[2], 0)).toEqual(near(0.8, 0.3));
	expect(middle(stored[3], 1)).toEqual(near(0.2, 0.7));
});

it("turns by way of the right", async () => {
	const [front, right] = await pictures(meshes, turntableViews(4));
	expect(middle(front, 0)).toEqual(near(0.8, 0.3));
	expect(middle(right, 1)).toEqual(near(0.2, 0.7));
});

it("fits what does not lie in the networks' box, and refuses what cannot be looked at", () => {
	expect(figureFrame(meshes)).toMatchObject({ centre: [0, 0, 0], half: 0.5 });
	const { centre, half } = figureFrame({ meshes: [ballMesh([10, 0, 5], 3, 8)] });
	expect(centre[0]).toBeCloseTo(10, 5);
	expect(half).toBeCloseTo(3.09, 2);
	expect(() => figureFrame({ meshes: [] })).toThrow("there is nothing to draw");
	expect(() => figureFrame({ meshes: [{ positions: Float32Array.of(0, Number.NaN, 0), faces: Uint32Array.of(0, 0, 0) }] })).toThrow(
		"vertex 0 is not finite",
	);
	const line = Float32Array.of(0, 0, 0, 0.1, 0.1, 0, 0.2, 0.2, 0);
	expect(() => figureFrame({ meshes: [{ positions: line, faces: Uint32Array.of(0, 1, 2) }] })).toThrow("no face can be seen");
});

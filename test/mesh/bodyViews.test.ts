import { describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { type BodyView, bodyCameras, checkBodyViews, sampleBodyView } from "../../engine/mesh/bodyViews.ts";

function view(
	width: number,
	height: number,
	color: (x: number, y: number) => number[],
	isBody: (x: number, y: number) => boolean,
): BodyView {
	const pixels = Array.from({ length: width * height }, (_, i) => [i % width, Math.floor(i / width)] as const);
	return {
		width,
		height,
		color: Uint8Array.from(pixels.flatMap(([x, y]) => color(x, y))),
		normal: Uint8Array.from(pixels.flatMap(([x, y]) => (isBody(x, y) ? [229, 255, 255] : [230, 255, 240]))),
	};
}

describe("sampleBodyView", () => {
	const result = new Float64Array(3);
	const ramp = view(
		4,
		3,
		(x, y) => [x * 51, y * 51, 255],
		() => true,
	);

	it("is bilinear between pixel centres and constant beyond the outermost", () => {
		expect(sampleBodyView(ramp, 1.5 / 4, 0.5 / 3, result)).toBe(1);
		expect([...result]).toEqual([0.2, 0, 1]);
		sampleBodyView(ramp, 2.25 / 4, 2 / 3, result);
		expect(result[0]).toBeCloseTo(1.75 * 0.2, 12);
		expect(result[1]).toBeCloseTo(1.5 * 0.2, 12);
		sampleBodyView(ramp, 0, 1, result);
		expect(result[0]).toBeCloseTo(0, 12);
		expect(result[1]).toBeCloseTo(0.4, 12);
	});

	it("leaves background pixels out: any normal channel below 230 is body", () => {
		const half = view(
			4,
			3,
			(x) => (x < 2 ? [51, 102, 153] : [255, 255, 255]),
			(x) => x < 2,
		);
		expect(sampleBodyView(half, 2 / 4, 0.5, result)).toBeCloseTo(0.5, 12);
		expect([...result].map((value) => value * 255)).toEqual([51, 102, 153]);
		expect(sampleBodyView(half, 3.5 / 4, 0.5, result)).toBe(0);
		expect([...result]).toEqual([0, 0, 0]);
	});
});

it("has the cameras of stage 1: front, right, back, left, columns along x, y, x, y", () => {
	expect(bodyCameras.map(({ direction }) => direction)).toEqual([
		[0, -1, 0],
		[1, 0, 0],
		[0, 1, 0],
		[-1, 0, 0],
	]);
	expect(bodyCameras.map(({ columnAxis }) => columnAxis)).toEqual([0, 1, 0, 1]);
});

it("refuses pictures of the wrong size or number", () => {
	const good = view(
		2,
		2,
		() => [0, 0, 0],
		() => true,
	);
	expect(() => checkBodyViews([good, good, good, good])).not.toThrow();
	expect(() => checkBodyViews([good, good, good])).toThrow(SyncHumanError);
	expect(() => checkBodyViews([good, good, { ...good, width: 3 }, good])).toThrow("body view 2");
});

import type { Image } from "./image.ts";

/** Cells of the longer side of the grid on which regions are looked for. */
const gridSide = 256;
/** Alpha from which a pixel belongs to somebody. */
const visibleAlpha = 128;
/** A region is as large as a person where it has this share of the largest one's area, and of its height. */
const [personArea, personHeight] = [0.25, 0.5];
/** Pixels that a person should be high at least. */
const goodHeight = 256;
/** Share of the person's width (at the left and right: height) that lies on the picture's border where a body is cut off. */
const cutShare = 0.2;

interface Region {
	/** Cells. */
	readonly area: number;
	/** First and last column and row of the grid, inclusive. */
	readonly box: readonly [left: number, top: number, right: number, bottom: number];
	/** Cells on the picture's borders. */
	readonly onBorder: Readonly<Record<"left" | "right" | "top" | "bottom", number>>;
}

/**
 * What may go wrong with a cut-out person (RGBA), in words, the most important first: several people-sized regions, a body that the picture
 * cuts off, a person of few pixels. Empty where nothing is remarkable; a picture of nobody is checkPersonImage's.
 */
export function foregroundRemarks(image: Image): readonly string[] {
	const cell = Math.max(1, Math.max(image.width, image.height) / gridSide);
	const regions = regionsOf(image, cell).sort((a, b) => b.area - a.area);
	const [person] = regions;
	if (person === undefined) return [];
	const remarks: string[] = [];
	const height = ({ box: [, top, , bottom] }: Region) => bottom - top + 1;
	const width = ({ box: [left, , right] }: Region) => right - left + 1;
	const people = regions.filter((one) => one.area >= personArea * person.area && height(one) >= personHeight * height(person));
	if (people.length > 1) {
		remarks.push(
			`the picture shows ${people.length} separate regions as large as a person: all of them become one figure; crop to one person.`,
		);
	}
	const sides = (["top", "bottom", "left", "right"] as const).filter((side) => {
		const length = side === "top" || side === "bottom" ? width(person) : height(person);
		return person.onBorder[side] > cutShare * length;
	});
	if (sides.length > 0) {
		remarks.push(
			`the person seems cut off by the picture's ${sides.join(" and ")} edge: what is not shown is made up; a whole body works best.`,
		);
	}
	const pixels = Math.round(height(person) * cell);
	if (pixels < goodHeight) {
		remarks.push(`the person is only about ${pixels} pixels high: the result will be coarse; ${goodHeight} to 1,000 are good.`);
	}
	return remarks;
}

/** Connected regions of a coarse grid of the alpha; a cell is taken where its middle pixel is visible. */
function regionsOf({ width, height, data }: Image, cell: number): Region[] {
	const [columns, rows] = [Math.max(1, Math.floor(width / cell)), Math.max(1, Math.floor(height / cell))];
	const visible = new Uint8Array(columns * rows);
	for (let row = 0; row < rows; row++) {
		for (let column = 0; column < columns; column++) {
			const [x, y] = [Math.min(width - 1, Math.floor((column + 0.5) * cell)), Math.min(height - 1, Math.floor((row + 0.5) * cell))];
			visible[row * columns + column] = data[(y * width + x) * 4 + 3] >= visibleAlpha ? 1 : 0;
		}
	}
	const regions: Region[] = [];
	for (let start = 0; start < visible.length; start++) if (visible[start] === 1) regions.push(takeRegion(visible, columns, rows, start));
	return regions;
}

/** The region around a cell; its cells are taken out of the grid. */
function takeRegion(visible: Uint8Array, columns: number, rows: number, start: number): Region {
	let [area, left, top, right, bottom] = [0, columns, rows, 0, 0];
	const onBorder = { left: 0, right: 0, top: 0, bottom: 0 };
	const open = [start];
	visible[start] = 0;
	for (let at = open.pop(); at !== undefined; at = open.pop()) {
		const [x, y] = [at % columns, Math.floor(at / columns)];
		area++;
		[left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
		if (x === 0) onBorder.left++;
		if (x === columns - 1) onBorder.right++;
		if (y === 0) onBorder.top++;
		if (y === rows - 1) onBorder.bottom++;
		for (const [nextX, nextY] of [
			[x - 1, y],
			[x + 1, y],
			[x, y - 1],
			[x, y + 1],
		]) {
			const next = nextY * columns + nextX;
			if (nextX < 0 || nextY < 0 || nextX >= columns || nextY >= rows || visible[next] === 0) continue;
			visible[next] = 0;
			open.push(next);
		}
	}
	return { area, box: [left, top, right, bottom], onBorder };
}

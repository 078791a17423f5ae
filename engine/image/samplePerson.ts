import { blankImage, type Image } from "./image.ts";

// The built-in sample: a standing person, drawn here from a few dozen shapes. Only + - * / and square roots, so every machine draws
// the same bytes. Coordinates are pixels, x to the right, y down; colours are sRGB in 0..1.

type Color = readonly [red: number, green: number, blue: number];

/** A point of a shape: how far outside it lies (negative inside), and the direction its bulging surface faces there. */
interface Surface {
	readonly distance: number;
	readonly normalX: number;
	readonly normalY: number;
}

/** A painted shape; later ones lie on top. */
interface Layer {
	readonly at: (x: number, y: number) => Surface;
	/** Colour before shading; may vary over the shape. */
	readonly color: Color | ((x: number, y: number) => Color);
	/** Width of the soft edge in pixels. */
	readonly softness: number;
	/** 0: flat; 1: fully shaded. */
	readonly relief: number;
	/** Opacity, 1 where not given. */
	readonly opacity?: number;
}

const width = 768;
const height = 1024;
const middle = width / 2;

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
const smooth = (t: number) => t * t * (3 - 2 * t);

/** A bent tube through points [x, y, radius]: limbs, neck, shoes. */
function tube(...points: readonly (readonly [x: number, y: number, radius: number])[]): Layer["at"] {
	return (x, y) => {
		let best = { distance: Number.POSITIVE_INFINITY, normalX: 0, normalY: 0 };
		for (let i = 0; i + 1 < points.length; i++) {
			const [ax, ay, ar] = points[i];
			const [bx, by, br] = points[i + 1];
			const [dx, dy] = [bx - ax, by - ay];
			const t = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1);
			const [px, py] = [x - ax - t * dx, y - ay - t * dy];
			const radius = ar + (br - ar) * smooth(t);
			const away = Math.sqrt(px * px + py * py);
			if (away - radius < best.distance) best = { distance: away - radius, normalX: px / radius, normalY: py / radius };
		}
		return best;
	};
}

/** An ellipse around (cx, cy). */
function ellipse(cx: number, cy: number, rx: number, ry: number): Layer["at"] {
	return (x, y) => {
		const [u, v] = [(x - cx) / rx, (y - cy) / ry];
		const length = Math.sqrt(u * u + v * v);
		return { distance: (length - 1) * Math.min(rx, ry), normalX: u, normalY: v };
	};
}

/** The curve through values at `positions` (ascending), with the slopes of the neighbours' chords, at `x`. */
function curve(positions: readonly number[], values: readonly number[], x: number): number {
	let i = 0;
	while (i + 2 < positions.length && x > positions[i + 1]) i++;
	const slope = (at: number) => {
		const [before, after] = [Math.max(at - 1, 0), Math.min(at + 1, positions.length - 1)];
		return (values[after] - values[before]) / (positions[after] - positions[before]);
	};
	const step = positions[i + 1] - positions[i];
	const t = clamp((x - positions[i]) / step, 0, 1);
	const bend = t * (1 - t) * step * ((1 - t) * slope(i) - t * slope(i + 1));
	return values[i] + (values[i + 1] - values[i]) * smooth(t) + bend;
}

/** A shape whose left and right edge are given from top to bottom by rows [y, left, right]: head, torso, hair. */
function outline(...rows: readonly (readonly [y: number, left: number, right: number])[]): Layer["at"] {
	const [ys, lefts, rights] = [0, 1, 2].map((column) => rows.map((row) => row[column]));
	const [top, bottom] = [ys[0], ys[ys.length - 1]];
	return (x, y) => {
		const [left, right] = [curve(ys, lefts, y), curve(ys, rights, y)];
		const half = Math.max((right - left) / 2, 0.01);
		const across = (x - (left + right) / 2) / half;
		const beyond = Math.max(top - y, y - bottom);
		return { distance: Math.max((Math.abs(across) - 1) * half, beyond), normalX: across * Math.abs(across), normalY: 0 };
	};
}

/** What two shapes share: cuffs, soles, the fringe. */
function both(a: Layer["at"], b: Layer["at"]): Layer["at"] {
	return (x, y) => {
		const [first, second] = [a(x, y), b(x, y)];
		return { ...first, distance: Math.max(first.distance, second.distance) };
	};
}

const below =
	(edge: number): Layer["at"] =>
	(_x, y) => ({ distance: edge - y, normalX: 0, normalY: 0 });
const above =
	(edge: number): Layer["at"] =>
	(_x, y) => ({ distance: y - edge, normalX: 0, normalY: 0 });

const mirrored =
	(at: Layer["at"]): Layer["at"] =>
	(x, y) => {
		const surface = at(2 * middle - x, y);
		return { ...surface, normalX: -surface.normalX };
	};

const skin: Color = [0.87, 0.66, 0.53];
const lips: Color = [0.72, 0.38, 0.35];
const hairColor: Color = [0.24, 0.15, 0.1];
const shirt: Color = [0.16, 0.5, 0.53];
const shirtTrim: Color = [0.93, 0.9, 0.82];
const denim: Color = [0.2, 0.27, 0.44];
const leather: Color = [0.33, 0.2, 0.13];
const shoe: Color = [0.82, 0.8, 0.77];
const sole: Color = [0.95, 0.95, 0.94];

const scaled = ([r, g, b]: Color, by: number): Color => [r * by, g * by, b * by];

/** Alternating bands along x + slant * y, for hair and weave. */
function banded(color: Color, period: number, depth: number, slant: number): Layer["color"] {
	return (x, y) => {
		const phase = (x + slant * y) / period;
		const wave = Math.abs(phase - Math.floor(phase) - 0.5) * 2;
		return scaled(color, 1 - depth + 2 * depth * smooth(wave));
	};
}

const solid = { softness: 1.6, relief: 1 };
const detail = { softness: 1.4, relief: 0.3 };

const torso = outline(
	[203, 344, 424],
	[207, 328, 440],
	[216, 312, 456],
	[236, 303, 465],
	[290, 304, 464],
	[350, 307, 461],
	[420, 310, 458],
	[480, 302, 466],
	[516, 297, 471],
);
const sleeve = both(tube([322, 244, 36], [288, 296, 33], [268, 350, 32]), above(338));
const arm = tube([286, 300, 22], [271, 340, 23], [250, 410, 20], [229, 500, 14]);
const hand = tube([232, 488, 11], [221, 530, 17], [216, 556, 13], [215, 574, 7]);
const thumb = tube([233, 520, 8], [242, 546, 6]);
const leg = both(tube([341, 520, 46], [340, 610, 43], [336, 706, 33], [334, 770, 33], [335, 960, 22]), above(930));
const foot = tube([333, 936, 22], [324, 952, 24], [313, 962, 18]);
const head = outline(
	[64, 372, 396],
	[72, 352, 416],
	[90, 337, 431],
	[118, 332, 436],
	[146, 335, 433],
	[166, 345, 423],
	[182, 359, 409],
	[191, 369, 399],
	[196, 381, 387],
);
const fringe = outline([42, 372, 396], [48, 352, 416], [62, 335, 433], [84, 326, 442], [110, 323, 445], [132, 325, 443]);
const backHair = outline([100, 324, 444], [150, 318, 450], [190, 320, 448], [214, 330, 438], [222, 344, 424]);
const sideHair = tube([329, 96, 7], [323, 140, 8], [325, 180, 8], [330, 208, 4]);
const partedLine: Layer["at"] = (x, y) => ({ distance: y - (86 + (x - 350) * (x - 350) * 0.0062), normalX: 0, normalY: 0 });

const cotton = banded(shirt, 4, 0.02, 0.5);
const twill = banded(denim, 5, 0.03, 0.4);

/** A shape on the left of the picture, and its mirror image. */
const pair = (layer: Layer): Layer[] => [layer, { ...layer, at: mirrored(layer.at) }];

/** A soft shadow or highlight in a fold. */
const fold = (at: Layer["at"], color: Color, softness: number, opacity: number): Layer => ({ at, color, softness, relief: 0, opacity });

const lowerBody: readonly Layer[] = [
	...pair({ at: foot, color: shoe, ...solid }),
	...pair({ at: both(foot, below(968)), color: sole, softness: 1.4, relief: 0.4 }),
	...pair({ at: tube([324, 940, 2.4], [315, 950, 2.4]), color: [0.55, 0.53, 0.5], ...detail }),
	...pair({ at: tube([331, 945, 2.4], [322, 957, 2.4]), color: [0.55, 0.53, 0.5], ...detail }),
	{ at: outline([500, 298, 470], [540, 296, 472], [570, 302, 466], [604, 336, 432], [616, 360, 408]), color: twill, ...solid },
	...pair({ at: leg, color: twill, ...solid }),
	...pair({ at: both(leg, below(904)), color: scaled(denim, 1.3), ...solid }),
	...pair(fold(tube([326, 700, 2], [346, 712, 1]), scaled(denim, 0.6), 6, 0.6)),
	fold(tube([middle, 520, 1], [middle, 610, 1.5]), scaled(denim, 0.55), 3, 0.9),
	...pair(fold(tube([middle - 2, 600, 1], [366, 580, 1]), scaled(denim, 0.6), 5, 0.7)),
	...pair({ at: both(tube([298, 540, 1.5], [326, 548, 1.5], [336, 520, 1.5]), below(512)), color: scaled(denim, 0.68), ...detail }),
];

const arms: readonly Layer[] = [
	...pair({ at: arm, color: skin, ...solid }),
	...pair({ at: hand, color: skin, ...solid }),
	...pair({ at: thumb, color: skin, ...solid }),
	...pair(fold(tube([220, 548, 0.8], [218, 572, 0.6]), scaled(skin, 0.7), 2, 0.7)),
	...pair(fold(tube([226, 550, 0.8], [225, 568, 0.6]), scaled(skin, 0.7), 2, 0.6)),
	...pair({ at: sleeve, color: cotton, ...solid }),
	...pair({ at: both(sleeve, below(328)), color: shirtTrim, softness: 1.4, relief: 0.8 }),
];

const upperBody: readonly Layer[] = [
	{ at: tube([middle, 168, 27], [middle, 216, 31]), color: scaled(skin, 0.88), ...solid },
	{ at: torso, color: cotton, softness: 3, relief: 0.8 },
	...pair(fold(tube([308, 262, 1], [312, 330, 3]), scaled(shirt, 0.55), 8, 0.5)),
	...pair(fold(tube([318, 470, 1], [350, 452, 2]), scaled(shirt, 0.7), 9, 0.5)),
	{ at: both(torso, both(below(296), above(318))), color: shirtTrim, softness: 1.4, relief: 0.8 },
	{ at: both(torso, below(500)), color: leather, softness: 1.4, relief: 0.8 },
	{ at: tube([middle - 8, 508, 6], [middle + 8, 508, 6]), color: [0.75, 0.67, 0.4], ...detail },
	{ at: ellipse(middle, 204, 42, 24), color: shirtTrim, softness: 1.4, relief: 0.4 },
	{ at: ellipse(middle, 199, 36, 22), color: scaled(skin, 0.92), softness: 1.4, relief: 0.3 },
	fold(tube([middle, 160, 28], [middle, 186, 24]), scaled(skin, 0.76), 8, 0.8),
];

const face: readonly Layer[] = [
	...pair({ at: ellipse(333, 130, 9, 16), color: scaled(skin, 0.92), ...solid }),
	{ at: head, color: skin, ...solid },
	...pair(fold(ellipse(354, 152, 14, 10), [0.88, 0.55, 0.46], 12, 0.3)),
	...pair({ at: ellipse(361, 127, 10, 5.5), color: [0.96, 0.95, 0.93], ...detail }),
	...pair({ at: ellipse(362, 127, 5, 5.2), color: [0.27, 0.2, 0.15], ...detail }),
	...pair({ at: ellipse(360.5, 125, 1.5, 1.5), color: [1, 1, 1], softness: 1, relief: 0 }),
	...pair({ at: tube([350, 124, 1.2], [361, 120.5, 1.7], [372, 124, 1]), color: scaled(hairColor, 0.9), ...detail }),
	...pair({ at: tube([346, 110, 1.4], [359, 106, 2.2], [373, 109, 1.6]), color: hairColor, ...detail }),
	fold(tube([middle + 3, 122, 1.5], [middle + 6, 146, 3.5]), scaled(skin, 0.8), 7, 0.6),
	fold(tube([middle - 6, 151, 2], [middle, 153, 3], [middle + 6, 151, 2]), scaled(skin, 0.72), 4, 0.7),
	{ at: tube([middle - 14, 166, 1.6], [middle, 169, 4], [middle + 14, 166, 1.6]), color: lips, softness: 2, relief: 0.3 },
	fold(tube([middle - 15, 165.5, 0.6], [middle, 168, 0.8], [middle + 15, 165.5, 0.6]), scaled(lips, 0.6), 1.6, 1),
	{ at: both(fringe, partedLine), color: banded(hairColor, 8, 0.22, 0.5), softness: 2.4, relief: 0.9 },
	...pair({ at: sideHair, color: banded(hairColor, 6, 0.2, 0.05), softness: 2.4, relief: 0.8 }),
];

const layers: readonly Layer[] = [
	{ at: ellipse(middle, 116, 62, 74), color: banded(hairColor, 9, 0.18, 0.15), softness: 2.4, relief: 0.8 },
	{ at: backHair, color: banded(hairColor, 9, 0.2, 0.1), softness: 2.4, relief: 0.7 },
	...lowerBody,
	...arms,
	...upperBody,
	...face,
];

/** Brightness of a surface facing (normalX, normalY): light from the upper left in front, the rest from the sky. */
function lightOn(normalX: number, normalY: number): number {
	const [x, y] = [clamp(normalX, -1, 1), clamp(normalY, -1, 1)];
	const z = Math.sqrt(Math.max(0, 1 - Math.min(1, x * x + y * y)));
	return 0.66 + 0.42 * Math.max(0, -0.42 * x - 0.4 * y + 0.81 * z);
}

const tileSize = 16;
/** Farther from a tile's centre than this, by its own measure, a shape does not touch the tile. */
const tileReach = 40;

/**
 * A standing person seen from the front, [1024, 768, 4], straight alpha, transparent around with a soft edge: what the program runs
 * on where no picture is given. The same bytes at every call.
 */
export function samplePerson(): Image {
	const image = blankImage(width, height, 4);
	for (let tileY = 0; tileY < height; tileY += tileSize) {
		for (let tileX = 0; tileX < width; tileX += tileSize) {
			const touching = layers.filter(({ at }) => at(tileX + tileSize / 2, tileY + tileSize / 2).distance < tileReach);
			if (touching.length > 0) paintTile(image, touching, tileX, tileY);
		}
	}
	return image;
}

function paintTile(image: Image, touching: readonly Layer[], tileX: number, tileY: number): void {
	for (let y = tileY; y < tileY + tileSize; y++) {
		for (let x = tileX; x < tileX + tileSize; x++) {
			const samples = pixelAt(touching, x + 0.5, y + 0.5).map((value) => Math.round(value * 255));
			image.data.set(samples, (y * width + x) * 4);
		}
	}
}

/** Straight colour and alpha of one point: the layers over each other. */
function pixelAt(touching: readonly Layer[], x: number, y: number): readonly [number, number, number, number] {
	let [red, green, blue, alpha] = [0, 0, 0, 0];
	for (const layer of touching) {
		const { distance, normalX, normalY } = layer.at(x, y);
		const cover = smooth(clamp(0.5 - distance / layer.softness, 0, 1)) * (layer.opacity ?? 1);
		if (cover === 0) continue;
		const base = typeof layer.color === "function" ? layer.color(x, y) : layer.color;
		const light = 1 + layer.relief * (lightOn(normalX, normalY) - 1);
		const rest = 1 - cover;
		red = clamp(base[0] * light, 0, 1) * cover + red * rest;
		green = clamp(base[1] * light, 0, 1) * cover + green * rest;
		blue = clamp(base[2] * light, 0, 1) * cover + blue * rest;
		alpha = cover + alpha * rest;
	}
	return alpha * 255 < 0.5 ? [0, 0, 0, 0] : [red / alpha, green / alpha, blue / alpha, alpha];
}

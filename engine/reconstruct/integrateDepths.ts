import type { DepthLevel, NormalLevel } from "./depthLevel.ts";
import { solveGraphLaplacian } from "./graphLaplacian.ts";

/** Depths along the cameras' axis of what two opposite views see, in pixels of the level; [side, side] each. */
export interface Depths {
	readonly near: Float32Array;
	readonly far: Float32Array;
}

/** Where the body begins and ends in every row of a pair's silhouette, in pixels; NaN where the row is empty. */
export interface RowExtents {
	readonly first: Float32Array;
	readonly last: Float32Array;
}

/** How sharply a side decides for the smoother neighbour; Cao et al., Bilateral Normal Integration, 2022. */
const bilateralSharpness = 2;
/** Holds surfaces together where neither side's normal asks for it. */
const flatness = 1e-4;
/** Pull towards the other pair's silhouette where a surface crosses it and where it touches it, the misfit, in pixels, from which on the latter fades, and the pull towards where the surface was. */
const [beyondWeight, contactWeight, contactSpread, restWeight] = [3, 0.5, 3, 1e-6];
/** Pull towards what the other pair's depths say, and the misfit, in pixels, from which on it fades. */
const [crossWeight, crossSpread] = [0.005, 4];
/** Difference of two pixels' normals, at 384 pixels a side, beyond which the surface may break between them. */
const likeSpread = 0.2;

/** The columns between which each row of a signed distance [side, side] is negative, to fractions of a pixel. */
export function rowExtents(distance: Float32Array, side: number): RowExtents {
	const first = new Float32Array(side).fill(Number.NaN);
	const last = new Float32Array(side).fill(Number.NaN);
	for (let row = 0; row < side; row++) {
		const line = distance.subarray(row * side, (row + 1) * side);
		const from = line.findIndex((value) => value < 0);
		if (from < 0) continue;
		const to = line.findLastIndex((value) => value < 0);
		first[row] = from === 0 ? -0.5 : from - line[from] / (line[from] - line[from - 1]);
		last[row] = to === side - 1 ? side - 0.5 : to + line[to] / (line[to] - line[to + 1]);
	}
	return { first, last };
}

/** What depths are made from. */
export interface IntegrateDepthsRequest {
	readonly level: DepthLevel;
	/** Of the other pair's silhouette. */
	readonly extents: RowExtents;
	/** What to begin with; finite inside the silhouette and around it. */
	readonly start: Depths;
	/** What the other pair says (`crossDepths`), NaN where it says nothing. */
	readonly cross: Depths | undefined;
	/** Weightings; 60 steps of conjugate gradients each. */
	readonly rounds: number;
}

/**
 * Depths whose slopes are those of the normals, broken where neither neighbour explains them and the normals differ (bilateral normal
 * integration), both surfaces joined along the silhouette's rim, touching the other pair's silhouette row by row and drawn
 * towards its depths. NaN outside the silhouette but for the pixels next to it. Deterministic.
 */
export function integrateDepths({ level, extents, start, cross, rounds }: IntegrateDepthsRequest): Depths {
	const { side } = level;
	const domain = domainOf(level);
	const { pixels, count, rim } = domain;
	const values = new Float64Array(count * 2 + rim.length);
	for (let i = 0; i < count; i++) {
		values[i] = start.near[pixels[i]];
		values[count + i] = start.far[pixels[i]];
	}
	for (let r = 0; r < rim.length; r++) values[count * 2 + r] = (start.near[rim[r]] + start.far[rim[r]]) / 2;
	const rest = values.slice();
	const steps = [stepsOf(domain, level.near, -1, 0), stepsOf(domain, level.far, 1, count)];
	const edges = joinEdges(steps);
	for (let round = 0; round < rounds; round++) {
		for (const surface of steps) weigh(surface, values);
		const { weights, targets } = combine(edges, steps);
		const anchors = new Float64Array(values.length).fill(restWeight);
		const wanted = rest.slice();
		if (cross !== undefined) agree(domain, cross, values, anchors, wanted);
		touch(domain, level, extents, values, anchors, wanted);
		solveGraphLaplacian({ ends: edges.ends, weights, targets, anchors, wanted }, values, iterationsOfRound);
	}
	const near = new Float32Array(side * side).fill(Number.NaN);
	const far = new Float32Array(side * side).fill(Number.NaN);
	for (let i = 0; i < count; i++) {
		near[pixels[i]] = values[i];
		far[pixels[i]] = values[count + i];
	}
	for (let r = 0; r < rim.length; r++) near[rim[r]] = far[rim[r]] = values[count * 2 + r];
	return { near, far };
}

/** Conjugate-gradient steps between two weightings. */
const iterationsOfRound = 60;

interface Domain {
	readonly side: number;
	/** Pixels inside, ascending; unknown i is the near depth of pixel i, count + i the far one. */
	readonly pixels: Uint32Array;
	readonly count: number;
	/** Pixels outside next to one inside; both surfaces share their depth. */
	readonly rim: Uint32Array;
	/** [side, side] position in `pixels`, or count + position in `rim`, or -1. */
	readonly place: Int32Array;
}

function domainOf({ side, distance }: DepthLevel): Domain {
	const place = new Int32Array(side * side).fill(-1);
	const pixels: number[] = [];
	for (let pixel = 0; pixel < place.length; pixel++) if (distance[pixel] < 0) place[pixel] = pixels.push(pixel) - 1;
	const rim: number[] = [];
	for (const pixel of pixels) {
		for (const next of neighbours(pixel, side)) if (next >= 0 && place[next] < 0) place[next] = pixels.length + rim.push(next) - 1;
	}
	return { side, pixels: Uint32Array.from(pixels), count: pixels.length, rim: Uint32Array.from(rim), place };
}

/** Left, right, above, below; -1 beyond the picture. */
function neighbours(pixel: number, side: number): readonly number[] {
	const column = pixel % side;
	return [
		column > 0 ? pixel - 1 : -1,
		column < side - 1 ? pixel + 1 : -1,
		pixel >= side ? pixel - side : -1,
		pixel < side * (side - 1) ? pixel + side : -1,
	];
}

/** One-sided slopes of a surface: for pixel i and direction d (left, right, above, below) facing_i (depth_other - depth_i) = rise. */
interface Steps {
	readonly own: number;
	readonly count: number;
	/** [count, 4] the unknown on the other side, or -1. */
	readonly other: Int32Array;
	readonly facing: Float64Array;
	/** [count, 4] */
	readonly rise: Float64Array;
	/** [count, 4] least share of each: how much alike the two pixels' normals are. */
	readonly likeness: Float64Array;
	/** [count, 4] how much each counts; set by `weigh`. */
	readonly share: Float64Array;
}

function stepsOf({ side, pixels, count, place }: Domain, normals: NormalLevel, sign: 1 | -1, own: number): Steps {
	const other = new Int32Array(count * 4).fill(-1);
	const facing = new Float64Array(count);
	const rise = new Float64Array(count * 4);
	const likeness = new Float64Array(count * 4);
	const spread = likeSpread * Math.sqrt(384 / side);
	for (let i = 0; i < count; i++) {
		const pixel = pixels[i];
		const [towards, across, up] = [normals.facing[pixel], normals.across[pixel], normals.up[pixel]];
		facing[i] = towards;
		for (const [d, next] of neighbours(pixel, side).entries()) {
			const at = next < 0 ? -1 : place[next];
			if (at < 0) continue;
			other[i * 4 + d] = at < count ? own + at : count + at;
			if (at < count && towards > 0 && normals.facing[next] > 0) {
				const difference = Math.hypot(towards - normals.facing[next], across - normals.across[next], up - normals.up[next]);
				likeness[i * 4 + d] = Math.exp(-0.5 * (difference / spread) ** 2);
			}
			// n . tangent = 0, the normal's component along the axis is sign * facing.
			rise[i * 4 + d] = sign * [across, -across, -up, up][d];
		}
	}
	return { own, count, other, facing, rise, likeness, share: new Float64Array(count * 4) };
}

/** Of the two opposite one-sided slopes of a pixel the one that fits better counts more. */
function weigh({ own, count, other, facing, rise, likeness, share }: Steps, values: Float64Array): void {
	const misfit = [0, 0, 0, 0];
	for (let i = 0; i < count; i++) {
		for (let d = 0; d < 4; d++) {
			const to = other[i * 4 + d];
			misfit[d] = to < 0 ? Number.POSITIVE_INFINITY : (facing[i] * (values[to] - values[own + i]) - rise[i * 4 + d]) ** 2;
		}
		for (let d = 0; d < 4; d++) {
			const opposite = misfit[d ^ 1];
			const fits = opposite === Number.POSITIVE_INFINITY ? 1 : 1 / (1 + Math.exp(-bilateralSharpness * (opposite - misfit[d])));
			share[i * 4 + d] = other[i * 4 + d] < 0 ? 0 : Math.max(fits, likeness[i * 4 + d]);
		}
	}
}

interface Edges {
	/** [e, 2] unknowns. */
	readonly ends: Uint32Array;
	/** [e, 2] the step (surface, pixel, direction) of either end, -1 where it has none. */
	readonly steps: Int32Array;
	readonly surface: Uint8Array;
}

function joinEdges(surfaces: readonly Steps[]): Edges {
	const ends: number[] = [];
	const steps: number[] = [];
	const surface: number[] = [];
	for (const [s, { own, count, other }] of surfaces.entries()) {
		for (let i = 0; i < count; i++) {
			for (let d = 0; d < 4; d++) {
				const to = other[i * 4 + d];
				if (to < 0) continue;
				const isRim = to >= count * 2;
				if (!isRim && (d & 1) === 0) continue; // the other pixel's own edge
				ends.push(own + i, to);
				steps.push(i * 4 + d, isRim ? -1 : (to - own) * 4 + (d ^ 1));
				surface.push(s);
			}
		}
	}
	return { ends: Uint32Array.from(ends), steps: Int32Array.from(steps), surface: Uint8Array.from(surface) };
}

function combine({ steps, surface }: Edges, surfaces: readonly Steps[]): { weights: Float64Array; targets: Float64Array } {
	const weights = new Float64Array(surface.length).fill(flatness);
	const targets = new Float64Array(surface.length);
	for (let e = 0; e < surface.length; e++) {
		const { facing, rise, share } = surfaces[surface[e]];
		for (let end = 0; end < 2; end++) {
			const step = steps[e * 2 + end];
			if (step < 0) continue;
			const towards = facing[step >> 2];
			weights[e] += share[step] * towards * towards;
			targets[e] += (end === 0 ? 1 : -1) * share[step] * towards * rise[step];
		}
	}
	return { weights, targets };
}

/** Draws depths towards the other pair's, the less the further they are off. */
function agree({ pixels, count }: Domain, cross: Depths, values: Float64Array, anchors: Float64Array, wanted: Float64Array): void {
	for (const [own, seen] of [
		[0, cross.near],
		[count, cross.far],
	] as const) {
		for (let i = 0; i < count; i++) {
			const value = seen[pixels[i]];
			if (Number.isNaN(value)) continue;
			const weight = crossWeight / (1 + ((values[own + i] - value) / crossSpread) ** 2);
			anchors[own + i] += weight;
			wanted[own + i] = value;
		}
	}
}

/** The outermost pixel of every row touches the other pair's silhouette, and no pixel lies beyond it. */
function touch(
	{ side, pixels, count }: Domain,
	level: DepthLevel,
	{ first, last }: RowExtents,
	values: Float64Array,
	anchors: Float64Array,
	wanted: Float64Array,
): void {
	for (const [own, sign, limits, normals] of [
		[0, 1, first, level.near],
		[count, -1, last, level.far],
	] as const) {
		const outermost = new Int32Array(side).fill(-1);
		for (let i = 0; i < count; i++) {
			const row = Math.floor(pixels[i] / side);
			const limit = limits[row];
			if (Number.isNaN(limit)) continue;
			const unknown = own + i;
			if (sign * values[unknown] < sign * limit) {
				anchors[unknown] = beyondWeight;
				wanted[unknown] = limit;
			}
			if (normals.facing[pixels[i]] === 0) continue;
			if (outermost[row] < 0 || sign * values[unknown] < sign * values[outermost[row]]) outermost[row] = unknown;
		}
		for (let row = 0; row < side; row++) {
			if (outermost[row] < 0) continue;
			const off = (values[outermost[row]] - limits[row]) / contactSpread;
			anchors[outermost[row]] = contactWeight / (1 + off * off);
			wanted[outermost[row]] = limits[row];
		}
	}
}

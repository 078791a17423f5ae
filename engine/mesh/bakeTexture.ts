import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { pyramidLevels } from "../kernels/mesh/texturePyramid.ts";
import { bakeSteps, type ViewPicker } from "./bakeSchedule.ts";
import { type BeforeStep, fitTexture, type ViewSamples } from "./fitTexture.ts";
import { teleaInpaint } from "./teleaInpaint.ts";
import { type BakeObservation, type TexturedMesh, type TextureSamples, textureSamples } from "./textureSamples.ts";
import { rasterizeFaces } from "./triangleRaster.ts";

/** What `bakeTexture` and `bakeSamples` need besides what was seen. */
export interface BakeOptions {
	readonly mesh: TexturedMesh;
	/** Texels per side, 512 to 4,096 (a power of two keeps all levels). */
	readonly size: number;
	/** Decides the order of the views. */
	readonly picker: ViewPicker;
	/** 1,000 unless told otherwise. */
	readonly steps?: number | undefined;
	readonly beforeStep?: BeforeStep | undefined;
	/** f32 [size, size, 3] 0..1, row 0 at v = 0, to begin with; black, as upstream, unless it is given. */
	readonly start?: Float32Array | undefined;
}

/** What `bakeTexture` needs. */
export interface BakeRequest extends BakeOptions {
	/** At least three: front, side and back first. Asked for one after the other; none is kept. */
	readonly observations: Iterable<BakeObservation> | AsyncIterable<BakeObservation>;
}

/** What `bakeSamples` needs. */
export interface BakeSamplesRequest extends BakeOptions {
	/** `bakeLookups` of at least three views: front, side and back first. */
	readonly samples: ViewSamples;
	/** On this thread unless it is given; its work goes on beside the fit. */
	readonly findGaps?: FindGaps | undefined;
}

/** What lies between a texture's charts, known before its colours. */
export interface TextureGaps {
	/** [size, size] 1 where no triangle covers a texel's centre; row 0 is v = 1. */
	readonly uncovered: Uint8Array;
	/** Inpaints the gaps of a picture [size, size, 3] from the charts' borders outwards. */
	fill(picture: Uint8Array): Promise<Uint8Array>;
}

/** Finds the gaps of a texture of `size` texels a side. */
export type FindGaps = (mesh: TexturedMesh, size: number) => Promise<TextureGaps>;

/** A texture picture: row 0 is v = 1. */
export interface BakedTexture {
	readonly size: number;
	/** [size, size, 3] 0..255 sRGB. */
	readonly color: Uint8Array;
	/** The same before inpainting. */
	readonly fitted: Uint8Array;
	/** [size, size] 1 where no triangle covers the texel's centre: inpainted. */
	readonly uncovered: Uint8Array;
}

/** Radius of the inpainting, texels; upstream's. */
export const inpaintRadius = 3;

/**
 * The colours of a mesh as a picture, fitted to observations, the rest inpainted from chart borders outwards. Upstream:
 * postprocessing_utils.bake_texture(mode="opt"); reference/stage2/ARCHITECTURE.md section 11. Deterministic.
 * Throws code "input" for a mesh without faces or with values that are not finite, for fewer than three observations, or a picture that has
 * not the size it says; "memory" where the texture does not fit.
 */
export async function bakeTexture(device: Device, request: BakeRequest): Promise<BakedTexture> {
	const { observations, ...options } = request;
	const lookups = bakeLookups(request.mesh, request.size);
	const samples: TextureSamples[] = [];
	for await (const observation of observations) samples.push(lookups(observation));
	const capacity = Math.max(0, ...samples.map(({ count }) => count));
	return bakeSamples(device, { ...options, samples: { count: samples.length, capacity, of: (view) => samples[view] } });
}

/** Finds where a view's pixels look the texture up. Throws code "input" as `bakeTexture` does. */
export function bakeLookups(mesh: TexturedMesh, size: number): (observation: BakeObservation) => TextureSamples {
	checkMesh(mesh);
	if (!Number.isInteger(size) || size < 1) throw new SyncHumanError("input", `bakeTexture: size must be a whole number, got ${size}`);
	return (observation) => textureSamples(mesh, observation, size, levelsOf(size));
}

/** Levels of a texture of `size` texels a side. */
export function levelsOf(size: number): number {
	return pyramidLevels(size, size).length;
}

/** `bakeTexture` from the lookups of all views, which may still be on their way. */
export async function bakeSamples(device: Device, request: BakeSamplesRequest): Promise<BakedTexture> {
	const { mesh, samples, size, picker, steps, beforeStep, start, findGaps = findGapsHere } = request;
	const finding = findGaps(mesh, size);
	finding.catch(() => undefined); // reported below
	const texture = await fitTexture(device, samples, {
		size,
		steps(viewCount) {
			if (viewCount < 3) throw new SyncHumanError("input", `bakeTexture: must have at least 3 observations, got ${viewCount}`);
			return bakeSteps(viewCount, picker, steps);
		},
		beforeStep,
		start,
	});
	const fitted = texturePicture(texture, size);
	const { uncovered, fill } = await finding;
	return { size, color: await fill(fitted), fitted, uncovered };
}

/** Finds them and fills them on this thread. */
export const findGapsHere: FindGaps = async (mesh, size) => {
	const uncovered = uncoveredTexels(mesh, size);
	return { uncovered, fill: async (picture) => teleaInpaint(picture, uncovered, size, size, inpaintRadius) };
};

/** A fitted texture [size, size, 3] in 0..1, row 0 at v = 0, as a picture: rows turned over, values cut off to whole levels. */
export function texturePicture(texture: Float32Array, size: number): Uint8Array {
	const picture = new Uint8Array(texture.length);
	const row = size * 3;
	for (let y = 0; y < size; y++) {
		for (let x = 0; x < row; x++) {
			picture[y * row + x] = Math.min(Math.max(Math.fround(texture[(size - 1 - y) * row + x] * 255), 0), 255);
		}
	}
	return picture;
}

/** [size, size] 1 where no triangle covers a texel's centre; row 0 is v = 1. */
export function uncoveredTexels({ uvs, faces }: TexturedMesh, size: number): Uint8Array {
	const clip = new Float32Array(uvs.length * 2);
	for (let vertex = 0; vertex * 2 < uvs.length; vertex++) {
		clip.set([uvs[vertex * 2] * 2 - 1, uvs[vertex * 2 + 1] * 2 - 1, 0, 1], vertex * 4);
	}
	const raster = rasterizeFaces(clip, faces, size, size);
	const uncovered = new Uint8Array(size * size);
	for (let y = 0; y < size; y++) {
		const from = (size - 1 - y) * size;
		for (let x = 0; x < size; x++) if (raster.faces[from + x] === 0) uncovered[y * size + x] = 1;
	}
	return uncovered;
}

function checkMesh({ positions, faces, uvs }: TexturedMesh): void {
	const count = positions.length / 3;
	if (faces.length === 0) {
		throw new SyncHumanError("input", "bakeTexture: the mesh has no faces", "The surface is empty: try another seed or picture.");
	}
	if (uvs.length !== count * 2) throw new SyncHumanError("input", `bakeTexture: uvs must be [${count}, 2], got ${uvs.length} values`);
	const badPosition = positions.findIndex((value) => !Number.isFinite(value));
	if (badPosition >= 0) throw new SyncHumanError("input", `bakeTexture: positions[${Math.floor(badPosition / 3)}] is not finite`);
	const badUv = uvs.findIndex((value) => !Number.isFinite(value));
	if (badUv >= 0) throw new SyncHumanError("input", `bakeTexture: uvs[${badUv >> 1}] is not finite`);
	const badIndex = faces.findIndex((vertex) => vertex >= count);
	if (badIndex >= 0)
		throw new SyncHumanError("input", `bakeTexture: face ${Math.floor(badIndex / 3)} names vertex ${faces[badIndex]} of ${count}`);
}

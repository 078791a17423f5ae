import { SyncHumanError } from "../error.ts";
import { clipPositions, rasterizeFaces, uvInterpolator } from "./triangleRaster.ts";

const { fround } = Math;

/** A mesh with texture coordinates, in the world of the networks. */
export interface TexturedMesh {
	/** [v, 3] */
	readonly positions: Float32Array;
	/** [f, 3] */
	readonly faces: Uint32Array;
	/** [v, 2] in 0..1; v runs up. */
	readonly uvs: Float32Array;
}

/** A picture of the body and the camera it was taken with. */
export interface BakeObservation {
	readonly width: number;
	readonly height: number;
	/** [height, width, 3] 0..255, or [height, width, 4], of which the fourth is left out. */
	readonly color: Uint8Array;
	/** [height, width] not 0 where the picture counts; where absent it counts where it is not black. */
	readonly mask?: Uint8Array | undefined;
	/** World to camera, row-major 4 x 4: x right, y up, z backward. */
	readonly view: readonly number[];
	/** Camera to clip space, row-major 4 x 4. */
	readonly projection: readonly number[];
	/**
	 * Whether `projection` turns y over, so that the picture's rows run as the raster's; else row 0 of the picture is the raster's last.
	 * True for the orthographic views, upstream's quirk.
	 */
	readonly rowsRunWithRaster: boolean;
}

/** Where a texture is looked up for each pixel that counts. */
export interface TextureSamples {
	readonly count: number;
	/** u32 [count, 4]: bits of f32 u, v and level; colour r + 256 g + 65536 b. */
	readonly values: Uint32Array;
	/** Pixels that count and that no triangle covers. */
	readonly uncovered: number;
}

/** The pixels of a view that count and the faces seen there: known before the mesh has texture coordinates. */
export interface SeenFaces extends Pick<BakeObservation, "width" | "height" | "view" | "projection"> {
	readonly count: number;
	/** u32 [count, 3]: 1 + the face, 0 where there is none; pixel of the raster; colour r + 256 g + 65536 b. In the raster's order. */
	readonly pixels: Uint32Array;
	/** Pixels that count and that no triangle covers. */
	readonly uncovered: number;
}

/**
 * The lookups of one view, in the raster's order. A pixel that counts and that no triangle covers looks up (0, 0) at level 0, the texture's
 * four corners: upstream's quirk. Throws code "input" where the picture does not have the size it says.
 */
export function textureSamples(mesh: TexturedMesh, observation: BakeObservation, textureSize: number, levelCount: number): TextureSamples {
	return samplesOfSeen(mesh, seenFaces(mesh, observation), textureSize, levelCount);
}

/** What a view sees of a mesh. Throws code "input" where the picture does not have the size it says. */
export function seenFaces({ positions, faces }: Pick<TexturedMesh, "positions" | "faces">, observation: BakeObservation): SeenFaces {
	const { width, height, view, projection, color, mask: given, rowsRunWithRaster } = observation;
	const channels = color.length / (width * height);
	if ((channels !== 3 && channels !== 4) || (given !== undefined && given.length !== width * height)) {
		throw new SyncHumanError(
			"input",
			`textureSamples: colour must be [${height}, ${width}, 3 or 4] and mask [${height}, ${width}], got ${color.length} and ${given?.length} values`,
		);
	}
	const raster = rasterizeFaces(clipPositions(positions, view, projection), faces, width, height);
	const pixels = new Uint32Array(width * height * 3);
	let count = 0;
	let uncovered = 0;
	for (let row = 0; row < height; row++) {
		const first = (rowsRunWithRaster ? row : height - 1 - row) * width;
		for (let column = 0; column < width; column++) {
			const from = first + column;
			const at = from * channels;
			if (given === undefined ? (color[at] | color[at + 1] | color[at + 2]) === 0 : given[from] === 0) continue;
			const pixel = row * width + column;
			if (raster.faces[pixel] === 0) uncovered++;
			pixels[count * 3] = raster.faces[pixel];
			pixels[count * 3 + 1] = pixel;
			pixels[count * 3 + 2] = color[at] | (color[at + 1] << 8) | (color[at + 2] << 16);
			count++;
		}
	}
	return { width, height, view, projection, count, pixels: pixels.slice(0, count * 3), uncovered };
}

/** The lookups of what a view sees of a mesh. The mesh's faces and their corners' places are those that were seen. */
export function samplesOfSeen(mesh: TexturedMesh, seen: SeenFaces, textureSize: number, levelCount: number): TextureSamples {
	const { count, pixels, uncovered } = seen;
	const values = new Uint32Array(count * 4);
	const floats = new Float32Array(values.buffer);
	const clip = clipPositions(mesh.positions, seen.view, seen.projection);
	let at = 0;
	const interpolate = uvInterpolator(seen, clip, mesh.faces, mesh.uvs, (_, u, v, duDx, duDy, dvDx, dvDy) => {
		floats[at] = u;
		floats[at + 1] = v;
		floats[at + 2] = mipLevel(duDx, duDy, dvDx, dvDy, textureSize, textureSize, levelCount - 1);
	});
	for (let i = 0; i < count; i++) {
		at = i * 4;
		if (pixels[i * 3] !== 0) interpolate(pixels[i * 3 + 1], pixels[i * 3] - 1);
		values[at + 3] = pixels[i * 3 + 2];
	}
	return { count, values, uncovered };
}

/**
 * The level of detail of a pixel from its derivatives of u and v by X and Y: log2 of half the longer axis' length of its footprint's
 * ellipse, in texels, clamped to 0..`highest`. A footprint of 0 gives 0. In float32, in upstream's order.
 */
export function mipLevel(duDx: number, duDy: number, dvDx: number, dvDy: number, width: number, height: number, highest: number): number {
	const sx = fround(duDx * width);
	const sy = fround(duDy * width);
	const tx = fround(dvDx * height);
	const ty = fround(dvDy * height);
	const a = fround(fround(sx * sx) + fround(tx * tx));
	const b = fround(fround(sy * sy) + fround(ty * ty));
	const c = fround(fround(sx * sy) + fround(tx * ty));
	const difference = fround(a - b);
	const root = fround(Math.sqrt(fround(fround(fround(0.25 * difference) * difference) + fround(c * c))));
	const level = 0.5 * fround(Math.log2(fround(0.5 * fround(a + b) + root)));
	return level > 0 ? Math.min(level, highest) : 0;
}

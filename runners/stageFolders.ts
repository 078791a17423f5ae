import { join } from "node:path";
import { defaults } from "../engine/defaults.ts";
import { SyncHumanError } from "../engine/error.ts";
import { checkPersonImage } from "../engine/image/foreground.ts";
import { dropAlpha, type Image } from "../engine/image/image.ts";
import { pillowResize } from "../engine/image/pillowResize.ts";
import { viewStrip } from "../engine/image/stageViews.ts";
import { writeVoxelPly } from "../engine/mesh/ply.ts";
import { writeGaussianPly } from "../engine/splat/gaussianPly.ts";
import type { StageOneResult, StageTwoResult } from "../engine/stages/results.ts";
import { memoryByteSource } from "../weights/byteSource.ts";
import { npyArray, npyToFloat32 } from "../weights/npy.ts";
import { readNpz, writeNpz } from "../weights/npz.ts";
import { readBytes } from "./files.ts";
import { decodePicture, encodePng } from "./imageFile.ts";
import { type SurfaceOptions, surfaceFiles } from "./surfaceFiles.ts";
import { viewFiles } from "./viewsFolder.ts";
import { writeFiles } from "./writeFiles.ts";

// The folders between and after the stages, with the names and formats of upstream's scripts (IGL-HKUST/SyncHuman 1b540b7,
// inference_OneStage.py and inference_SecondStage.py).

const views = Array.from({ length: defaults.views }, (_, view) => view);
const resolution = defaults.structureSize;

/** Name of the coordinates inside latent.npz. */
const coordinatesKey = "coords";

/** Writes color_0..4.png, normal_0..4.png, concat.png, input.png, voxel.ply and latent.npz, all of them or none. Throws code "disk". */
export async function writeStageOne(folder: string, result: StageOneResult): Promise<void> {
	const { input, colors, normals, coordinates } = result;
	const count = coordinates.length / 4;
	const xyz = Int32Array.from({ length: count * 3 }, (_, i) => coordinates[Math.floor(i / 3) * 4 + 1 + (i % 3)]);
	const files = await viewFiles({ colors, normals });
	files.push(["concat.png", await encodePng(viewStrip(colors, normals))]);
	files.push(["input.png", await encodePng(input)]);
	files.push(["voxel.ply", writeVoxelPly(xyz)]);
	files.push(["latent.npz", writeNpz(new Map([[coordinatesKey, npyArray("f4", [count, 4], Float32Array.from(coordinates))]]))]);
	await writeFiles(folder, files);
}

/**
 * Reads such a folder back, also one that upstream wrote: views with or without alpha (dropped), resized to upstream's 768 pixels
 * where they are no squares; coordinates of any number type, rows sorted. Throws code "input", naming the file that is missing or cannot be used.
 */
export async function readStageOne(folder: string): Promise<StageOneResult> {
	const picture = async (name: string): Promise<Image> => {
		const path = join(folder, name);
		return decodePicture(await readBytes(path, again), path);
	};
	const coordinates = await readCoordinates(join(folder, "latent.npz"));
	const input = await picture("input.png");
	try {
		checkPersonImage(input);
	} catch (error) {
		if (!(error instanceof SyncHumanError)) throw error;
		throw new SyncHumanError("input", `${join(folder, "input.png")}: ${error.message}`, error.hint);
	}
	const colors: Image[] = [];
	const normals: Image[] = [];
	for (const view of views) {
		colors.push(dropAlpha(await picture(`color_${view}.png`)));
		normals.push(dropAlpha(await picture(`normal_${view}.png`)));
	}
	const [{ width, height }] = colors;
	for (const [kind, images] of [["color", colors] as const, ["normal", normals] as const]) {
		const other = images.findIndex((image) => image.width !== width || image.height !== height);
		if (other < 0) continue;
		const size = `${images[other].width} x ${images[other].height} pixels, color_0.png ${width} x ${height}`;
		throw new SyncHumanError("input", `${join(folder, `${kind}_${other}.png`)}: has ${size}.`, "All views must have one size.");
	}
	const sized = (image: Image) => (width === height ? image : pillowResize(image, defaults.viewSize, defaults.viewSize));
	return { input, colors: colors.map(sized), normals: normals.map(sized), coordinates };
}

const again = "Run stage 1 first (--stage 1 or both), or give a folder that upstream's inference_OneStage.py wrote.";

async function readCoordinates(path: string): Promise<Int32Array> {
	const wrong = (problem: string) => new SyncHumanError("input", `${path}: ${problem}.`, again);
	const file = memoryByteSource(path, await readBytes(path, again));
	const arrays = await readNpz(file).catch((error) => {
		throw error instanceof SyncHumanError ? new SyncHumanError("input", error.message, again) : error;
	});
	const stored = arrays.get(coordinatesKey);
	if (stored === undefined) throw wrong(`holds no array "${coordinatesKey}"`);
	const [count] = stored.shape;
	if (stored.shape.length !== 2 || stored.shape[1] !== 4)
		throw wrong(`"${coordinatesKey}" must be [n, 4], got [${stored.shape.join(", ")}]`);
	if (count === 0) throw wrong("holds no voxels");
	if (count > resolution ** 3) throw wrong(`holds ${count} voxels, more than ${resolution}^3`);
	const values = npyToFloat32(stored);
	const cells = new Float64Array(count);
	for (let row = 0; row < count; row++) {
		const [batch, x, y, z] = values.subarray(row * 4, row * 4 + 4);
		if (batch !== 0 || ![x, y, z].every((value) => Number.isInteger(value) && value >= 0 && value < resolution)) {
			throw wrong(`voxel ${row} is (${batch}, ${x}, ${y}, ${z}); it must be 0 and three whole numbers from 0 to ${resolution - 1}`);
		}
		cells[row] = (x * resolution + y) * resolution + z;
	}
	cells.sort();
	const coordinates = new Int32Array(count * 4);
	for (const [row, cell] of cells.entries()) {
		if (cell === cells[row - 1]) throw wrong("holds a voxel twice");
		coordinates.set([0, Math.floor(cell / resolution ** 2), Math.floor(cell / resolution) % resolution, cell % resolution], row * 4);
	}
	return coordinates;
}

/**
 * Writes output.glb, in which `extras` (seed, weights) stand, what else of the surface was asked for, and gaussians.ply where there are
 * Gaussians; gives the paths. Throws code
 * "disk", or "input" where the surface is empty.
 */
export async function writeStageTwo(
	folder: string,
	result: StageTwoResult,
	options: SurfaceOptions = {},
	extras: Readonly<Record<string, unknown>> = {},
): Promise<readonly string[]> {
	const { gaussians } = result;
	const surface = surfaceFiles(result, options, extras); // encodes its pictures on other threads
	surface.catch(() => undefined); // reported below
	const clouds: [string, Uint8Array][] = gaussians.count > 0 ? [["gaussians.ply", writeGaussianPly(gaussians)]] : [];
	const files = [...(await surface), ...clouds];
	await writeFiles(folder, files);
	return files.map(([name]) => join(folder, name));
}

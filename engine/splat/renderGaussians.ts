import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { createTensor, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { readPieceBytes, readTensor, readUnsigned, release, residentTensor } from "../gpu/transfer.ts";
import { compileGraph, type Executable } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { planGraph } from "../graph/plan.ts";
import { compositeTiles } from "../kernels/splat/compositeTiles.ts";
import { packColors } from "../kernels/splat/packColors.ts";
import { prefixSum } from "../kernels/splat/prefixSum.ts";
import { projectGaussians, tileSide } from "../kernels/splat/projectGaussians.ts";
import { radixSort } from "../kernels/splat/radixSort.ts";
import { tilePairs } from "../kernels/splat/tilePairs.ts";
import { tileStarts } from "../kernels/splat/tileStarts.ts";
import type { PinholeCamera } from "./cameras.ts";
import { type GaussianCloud, gaussianRows } from "./gaussianCloud.ts";

// Upstream: SyncHuman's GaussianRenderer over the mip-splatting rasteriser, written from reference/stage2/ARCHITECTURE.md section 9 and
// the papers: 3D Gaussian Splatting (Kerbl et al. 2023), Mip-Splatting (Yu et al. 2024).
//
// (tile, depth) pairs are sorted least significant part first: the Gaussians by depth, before they are listed once for every tile; then
// the pairs by tile. Both sorts are stable, so equal depths keep the cloud's order and the same bytes come out every time.

/** What a renderer is made for. */
export interface GaussianRendererOptions {
	/** Pixels, up to 65,520 each. */
	readonly width: number;
	readonly height: number;
	/** r, g, b behind the Gaussians; black by default. */
	readonly background?: readonly [number, number, number];
	/** Variance of the screen-space filter, pixels^2; 0.1 by default, as the official decoder's configuration says. */
	readonly kernelSize?: number;
	/** Bytes that the GPU may hold in all. */
	readonly maxMemory?: number;
}

/** Pictures on the host, row-major, first row on top. */
export interface GaussianPicture {
	readonly width: number;
	readonly height: number;
	/** [height, width, 3] linear in what the harmonics say (upstream: sRGB), >= 0, over the background. */
	readonly color: Float32Array;
	/** [height, width] 0..1, 1 - transmittance. */
	readonly alpha: Float32Array;
	/** [height, width] mean distance from the camera's plane of what is seen, weighted as its colour; 0 where nothing is. */
	readonly depth: Float32Array;
}

/** Draws one cloud from many sides; pictures stay on the GPU until they are read. */
export interface GaussianRenderer {
	/** f32 [height, width, 4] colour over the background, and alpha: of the last `render`. */
	readonly color: Tensor;
	/** f32 [height, width] as in `GaussianPicture`. */
	readonly depth: Tensor;
	/** f32 [n, 12] and u32 [n, 4]: the Gaussians in the last picture, see `ProjectedGaussians`. */
	readonly projected: Tensor;
	readonly rectangles: Tensor;
	/**
	 * Draws a picture; resolves with the number of (tile, Gaussian) pairs when the last commands are submitted. Calls must not overlap.
	 * Throws code "memory" with the numbers where the pairs do not fit.
	 */
	render(camera: PinholeCamera): Promise<number>;
	/** The last picture. */
	read(): Promise<GaussianPicture>;
	/** Bytes u8 [height, width, 4] of the last picture's colours and alpha: times 255, fractions dropped, as `truncatedColors`. */
	readBytes(): Promise<Uint8Array>;
	destroy(): void;
}

const smallerHint = "Render fewer pixels, or use a card with more memory.";

/** A renderer of a cloud. Throws code "input" for a cloud that cannot be drawn, "memory" where it does not fit. */
export async function openGaussianRenderer(
	device: Device,
	cloud: GaussianCloud,
	options: GaussianRendererOptions,
): Promise<GaussianRenderer> {
	const { width, height, background = [0, 0, 0], kernelSize = 0.1, maxMemory = Number.POSITIVE_INFINITY } = options;
	const [across, down] = [Math.ceil(width / tileSide), Math.ceil(height / tileSide)];
	if (![width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= 65520)) {
		throw new SyncHumanError("input", `Gaussian picture: must be 1 to 65520 pixels wide and high, got ${width} x ${height}.`);
	}
	const { count } = cloud;
	const rows = gaussianRows(cloud);
	const owned: Tensor[] = [];
	const resident = (label: string, dtype: "f32" | "u32", shape: readonly number[], values?: Float32Array): Tensor => {
		const tensor = residentTensor(device, label, dtype, shape, values);
		owned.push(tensor);
		return tensor;
	};
	const left = () => maxMemory - device.memory.currentBytes;
	let sorted: Executable | undefined;
	let drawn: { readonly executable: Executable; readonly capacity: number } | undefined;
	const destroy = () => {
		sorted?.destroy();
		drawn?.executable.destroy();
		sorted = undefined;
		drawn = undefined;
		for (const tensor of owned) release(device, tensor.storage);
	};
	try {
		const fixedBytes = count * (14 + 12 + 4 + 2) * 4 + width * height * 6 * 4;
		if (fixedBytes > left()) {
			throw new SyncHumanError(
				"memory",
				`Gaussian picture: ${count} Gaussians on ${width} x ${height} pixels need ${fixedBytes} bytes, more than the ${left()} left.`,
				smallerHint,
			);
		}
		const gaussians = resident("Gaussians", "f32", [count, 14], rows);
		const projected = resident("projected Gaussians", "f32", [count, 12]);
		const rectangles = resident("tile rectangles", "u32", [count, 4]);
		const order = resident("depth order", "u32", [count]);
		const offsets = resident("pair offsets", "u32", [count + 1]);
		const color = resident("Gaussian colours", "f32", [height, width, 4]);
		const depth = resident("Gaussian depths", "f32", [height, width]);
		const packed = resident("Gaussian bytes", "u32", [height, width]);
		const total = rowsOf(offsets, count, 1);

		const tensors = { gaussians, projected, rectangles, order, offsets, color, depth, packed };
		const { graph: sortGraph, camera: cameraTensor } = recordProjection(device, tensors, { width, height, kernelSize });
		sorted = await compileGraph(sortGraph, { maxBytes: left() });
		const projection = sorted;

		const recordDrawing = (capacity: number) => recordCompositing(device, tensors, { across, down, background, capacity });
		const makeRoom = async (pairs: number): Promise<Executable> => {
			if (drawn !== undefined && drawn.capacity >= pairs) return drawn.executable;
			drawn?.executable.destroy();
			drawn = undefined;
			const mostPairs = Math.floor(device.report.limits.maxStorageBufferBindingSize / 4);
			const refuse = (problem: string) =>
				new SyncHumanError(
					"memory",
					`Gaussian picture: ${width} x ${height} pixels make ${pairs === 0xffffffff ? "2^32 or more" : pairs} pairs of tile and Gaussian, ${problem}.`,
					smallerHint,
				);
			if (pairs > mostPairs) throw refuse(`more than the ${mostPairs} that this adapter can bind`);
			// Room for a quarter more, so that the next view rarely needs another graph; no more than needed where memory is short.
			let capacity = Math.min(roomFor(pairs), mostPairs);
			let graph = recordDrawing(capacity);
			if (planGraph(graph).byteLength > left()) {
				capacity = Math.max(1, pairs);
				graph = recordDrawing(capacity);
			}
			const { byteLength } = planGraph(graph);
			if (byteLength > left()) throw refuse(`which need ${byteLength} bytes of GPU memory, more than the ${left()} left`);
			drawn = { executable: await compileGraph(graph), capacity };
			return drawn.executable;
		};
		return {
			color,
			depth,
			projected,
			rectangles,
			async render({ extrinsics, intrinsics: { fx, fy, cx, cy } }) {
				projection.write(cameraTensor, Float32Array.from([...extrinsics.slice(0, 12), fx, fy, cx, cy]));
				await projection.run();
				const [pairs] = await readUnsigned(device, total);
				await (await makeRoom(pairs)).run({ pairs });
				return pairs;
			},
			async read() {
				const shaded = await readTensor(device, color);
				return {
					width,
					height,
					color: shaded.filter((_, i) => i % 4 !== 3),
					alpha: shaded.filter((_, i) => i % 4 === 3),
					depth: await readTensor(device, depth),
				};
			},
			async readBytes() {
				return new Uint8Array((await readUnsigned(device, packed)).buffer, 0, width * height * 4);
			},
			destroy,
		};
	} catch (error) {
		destroy();
		throw error;
	}
}

/** The tensors of a renderer. */
interface RendererTensors {
	readonly gaussians: Tensor;
	readonly projected: Tensor;
	readonly rectangles: Tensor;
	readonly order: Tensor;
	readonly offsets: Tensor;
	readonly color: Tensor;
	readonly depth: Tensor;
	readonly packed: Tensor;
}

/** Pairs that a drawing has room for where there are `pairs` of them. */
function roomFor(pairs: number): number {
	return Math.max(1024, Math.ceil(pairs * 1.25));
}

/** Graph of everything up to the count of pairs. */
function recordProjection(
	device: Device,
	{ gaussians, projected, rectangles, order, offsets }: RendererTensors,
	picture: { readonly width: number; readonly height: number; readonly kernelSize: number },
) {
	const graph = new Graph(device, "Gaussian projection");
	const camera = graph.input("camera", "f32", [16]);
	const { tileCounts, depthKeys } = projectGaussians(graph, { gaussians, camera, ...picture, into: { projected, rectangles } });
	radixSort(graph, { keys: depthKeys, bits: 32, into: order });
	prefixSum(graph, { values: tileCounts, order, into: offsets });
	return { graph, camera };
}

/** Graph of everything behind the count, with room for `capacity` pairs. */
function recordCompositing(
	device: Device,
	{ projected, rectangles, order, offsets, color, depth, packed }: RendererTensors,
	options: {
		readonly across: number;
		readonly down: number;
		readonly background: readonly [number, number, number];
		readonly capacity: number;
	},
): Graph {
	const { across, down, background, capacity } = options;
	const graph = new Graph(device, "Gaussian compositing");
	const pairs = graph.scalar("pairs", 0);
	const listed = tilePairs(graph, { order, offsets, rectangles, tilesAcross: across, capacity });
	const bits = Math.ceil(Math.log2(across * down));
	const { keys, values } = radixSort(graph, { keys: listed.tiles, values: listed.members, count: pairs, bits });
	const starts = tileStarts(graph, keys, pairs, across * down);
	compositeTiles(graph, { projected, members: values, starts, background, color, depth });
	packColors(graph, color, packed);
	return graph;
}

/** GPU bytes that a renderer of `count` Gaussians holds at most, for pictures of up to `pairs` pairs of tile and Gaussian. */
export function gaussianRendererBytes(
	device: Device,
	count: number,
	pairs: number,
	{ width, height, background = [0, 0, 0], kernelSize = 0.1 }: GaussianRendererOptions,
): number {
	const tensor = (label: string, dtype: "f32" | "u32", shape: readonly number[]) => createTensor(label, dtype, shape, "resident");
	const tensors: RendererTensors = {
		gaussians: tensor("Gaussians", "f32", [count, 14]),
		projected: tensor("projected Gaussians", "f32", [count, 12]),
		rectangles: tensor("tile rectangles", "u32", [count, 4]),
		order: tensor("depth order", "u32", [count]),
		offsets: tensor("pair offsets", "u32", [count + 1]),
		color: tensor("Gaussian colours", "f32", [height, width, 4]),
		depth: tensor("Gaussian depths", "f32", [height, width]),
		packed: tensor("Gaussian bytes", "u32", [height, width]),
	};
	const [across, down] = [Math.ceil(width / tileSide), Math.ceil(height / tileSide)];
	const graphs = [
		recordProjection(device, tensors, { width, height, kernelSize }).graph,
		recordCompositing(device, tensors, { across, down, background, capacity: roomFor(pairs) }),
	];
	const held = Object.values(tensors).reduce((sum, { storage }) => sum + storage.byteLength, 0);
	const read = Math.min(readPieceBytes, tensors.color.storage.byteLength);
	return graphs.reduce((sum, graph) => sum + planGraph(graph).byteLength, held + read);
}

/** One picture of a cloud. Errors as of `openGaussianRenderer` and `render`. */
export async function renderGaussians(
	device: Device,
	cloud: GaussianCloud,
	camera: PinholeCamera,
	options: GaussianRendererOptions,
): Promise<GaussianPicture> {
	const renderer = await openGaussianRenderer(device, cloud, options);
	try {
		await renderer.render(camera);
		return await renderer.read();
	} finally {
		renderer.destroy();
	}
}

/** Colours as bytes: times 255, cut to 0..255, fractions dropped. Upstream: render_utils.render_frames. */
export function truncatedColors(color: Float32Array): Uint8Array {
	return Uint8Array.from(color, (value) => Math.min(Math.max(Math.fround(value * 255), 0), 255));
}

import { readTensor, readUnsigned } from "../../../engine/gpu/transfer.ts";
import { bakeViews, hammersleySequence, intrinsicsMatrix, sphereCamera, visibilityViews } from "../../../engine/splat/cameras.ts";
import type { GaussianCloud } from "../../../engine/splat/gaussianCloud.ts";
import { writeGaussianPly } from "../../../engine/splat/gaussianPly.ts";
import { openGaussianRenderer, truncatedColors } from "../../../engine/splat/renderGaussians.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";

/** What the golden's model was made with where case.json does not say it (golden.py: toy_gaussians). */
const officialBiases = { scaling_bias: 4e-3, opacity_bias: 0.1, "3d_filter_kernel_size": 9e-4 };

/**
 * The golden's stored parameters, which are upstream's before their activations: gaussianParameters' arithmetic without the decoder's
 * features before it, in float64.
 */
async function storedCloud(context: ParityContext): Promise<GaussianCloud> {
	const bias = { ...officialBiases, ...context.config.args.representation };
	const values = async (name: string) => Float64Array.from((await context.input(name)).data);
	const [positions, featuresDc, scaling, rotation, opacity] = await Promise.all(
		["_xyz", "_features_dc", "_scaling", "_rotation", "_opacity"].map(values),
	);
	const scalingStart = Math.log(Math.expm1(bias.scaling_bias));
	const opacityStart = Math.log(bias.opacity_bias / (1 - bias.opacity_bias));
	const turned = rotation.map((value, i) => (i % 4 === 0 ? value + 1 : value));
	return {
		count: opacity.length,
		positions: Float32Array.from(positions, (value) => value - 0.5),
		featuresDc: Float32Array.from(featuresDc),
		scales: Float32Array.from(scaling, (value) => Math.hypot(Math.log1p(Math.exp(value + scalingStart)), bias["3d_filter_kernel_size"])),
		rotations: Float32Array.from(turned, (value, i) => value / Math.hypot(...turned.subarray(i - (i % 4), i - (i % 4) + 4))),
		opacities: Float32Array.from(opacity, (value) => 1 / (1 + Math.exp(-(value + opacityStart)))),
	};
}

const floats = (shape: readonly number[], values: Iterable<number>): HostTensor => ({ shape, data: Float64Array.from(values) });

async function runGaussianPly(context: ParityContext): Promise<ParityOutputs> {
	const columns: number = context.meta.columns.length;
	const file = writeGaussianPly(await storedCloud(context));
	const text = new TextDecoder("latin1").decode(file);
	const expectedHeader = `property float ${context.meta.columns.join("\nproperty float ")}\nend_header\n`;
	if (!text.includes(expectedHeader)) throw new Error("gaussian_ply: the header does not list the golden's columns");
	const body = file.slice(text.indexOf("end_header\n") + "end_header\n".length);
	const data = new Float32Array(body.buffer);
	return new Map([["attributes", { shape: [data.length / columns, columns], data }]]);
}

async function runGaussianRender(context: ParityContext): Promise<ParityOutputs> {
	const { args } = context.config;
	const size: number = args.resolution;
	const device = await context.device();
	const cloud = await storedCloud(context);
	const { count } = cloud;
	const outputs = new Map<string, HostTensor>([
		["scaling", { shape: [count, 3], data: cloud.scales }],
		["rotation", { shape: [count, 4], data: cloud.rotations }],
		["opacity", { shape: [count, 1], data: cloud.opacities }],
		["xyz", { shape: [count, 3], data: cloud.positions }],
	]);
	const renderer = await openGaussianRenderer(device, cloud, {
		width: size,
		height: size,
		background: args.bg_color,
		kernelSize: args.kernel_size,
	});
	try {
		for (let view = 0; view < args.yaws.length; view++) {
			const camera = sphereCamera({ yaw: args.yaws[view], pitch: args.pitchs[view] }, args.r, (args.fov * Math.PI) / 180);
			const pairs = await renderer.render(camera);
			const { color, alpha } = await renderer.read();
			context.note(`view ${view}: ${count} Gaussians, ${pairs} pairs`);
			const planes = color.map((_, i) => color[(i % (size * size)) * 3 + Math.floor(i / (size * size))]);
			outputs.set(`extrinsics_${view}`, floats([4, 4], camera.extrinsics));
			outputs.set(`intrinsics_${view}`, floats([3, 3], intrinsicsMatrix(camera.intrinsics)));
			outputs.set(`color_${view}`, { shape: [3, size, size], data: planes });
			outputs.set(`T_${view}`, { shape: [size, size], data: alpha.map((value) => 1 - value) });
			if (context.outputNames.includes(`uint8_${view}`)) {
				// A picture of bytes comes from the golden's own floats: the last bit of a float decides which byte it is.
				const golden = context.expected(`color_${view}`).data as Float32Array;
				const interleaved = golden.map((_, i) => golden[(i % 3) * size * size + Math.floor(i / 3)]);
				outputs.set(`uint8_${view}`, { shape: [size, size, 3], data: truncatedColors(interleaved) });
			}
			if (!context.outputNames.includes(`xy_${view}`)) continue;
			const rows = await readTensor(device, renderer.projected);
			const columns = (first: number, width: number) => ({
				shape: [count, width],
				data: rows.filter((_, i) => i % 12 >= first && i % 12 < first + width),
			});
			outputs.set(`xy_${view}`, columns(0, 2));
			outputs.set(`depth_${view}`, columns(2, 1));
			outputs.set(`alpha_${view}`, columns(3, 1));
			outputs.set(`conic_${view}`, columns(4, 3));
			outputs.set(`radius_${view}`, columns(7, 1));
			outputs.set(`rect_${view}`, { shape: [count, 4], data: await readUnsigned(device, renderer.rectangles) });
		}
	} finally {
		renderer.destroy();
	}
	return outputs;
}

async function runCameras(context: ParityContext): Promise<ParityOutputs> {
	const views = bakeViews(context.config.args.nviews - 5);
	const visibility = visibilityViews(context.meta.tensors["outputs/hole_view"].shape[0]);
	const [points, dimension] = [32, 3];
	const all = <T>(of: readonly T[], shape: readonly number[], pick: (view: T) => readonly number[]) =>
		floats([of.length, ...shape], of.flatMap(pick));
	return new Map([
		["yaw", all(views, [], ({ angles }) => [angles.yaw])],
		["pitch", all(views, [], ({ angles }) => [angles.pitch])],
		["extrinsics", all(views, [4, 4], ({ extrinsics }) => extrinsics)],
		["intrinsics", all(views, [3, 3], ({ intrinsics }) => intrinsicsMatrix(intrinsics))],
		["bake_view", all(views, [4, 4], ({ view }) => view)],
		["bake_projection", all(views, [4, 4], ({ projection }) => projection)],
		["hole_view", all(visibility, [4, 4], ({ view }) => view)],
		["hole_projection", floats([4, 4], visibility[0].projection)],
		[
			"hammersley_3_32",
			floats([points, dimension], Array.from({ length: points }, (_, i) => hammersleySequence(dimension, i, points)).flat()),
		],
	]);
}

/** Gaussians drawn, Gaussians as a file, and the cameras. */
export const adapters: Adapters = {
	gaussian_render: { runs: "device", required: (names) => names, run: runGaussianRender },
	gaussian_ply: { runs: "host", required: (names) => names, run: runGaussianPly },
	cameras: { runs: "host", required: (names) => names, run: runCameras },
};

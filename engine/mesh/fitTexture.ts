import type { Device } from "../gpu/device.ts";
import { createTensor, rowsOf, type Tensor } from "../gpu/tensor.ts";
import { copyTensor, readPieceBytes, readTensor, release, residentTensor } from "../gpu/transfer.ts";
import { compileGraph, type Executable } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { planGraph } from "../graph/plan.ts";
import { textureAdam } from "../kernels/mesh/textureAdam.ts";
import { texturePyramid, texturePyramidGradient } from "../kernels/mesh/texturePyramid.ts";
import { fixedPoint, textureSample, textureSampleGradient } from "../kernels/mesh/textureSample.ts";
import type { BakeStep } from "./bakeSchedule.ts";
import type { TextureSamples } from "./textureSamples.ts";

const [beta1, beta2, epsilon] = [0.5, 0.9, 1e-8];
const totalVariation = 0.01;

/** Steps after which the queue is looked at; at most twice as many wait in it. */
const queuedSteps = 16;

/** The samples of all views. */
export interface ViewSamples {
	/** Views. */
	readonly count: number;
	/** Samples of a view at most. */
	readonly capacity: number;
	/** The samples of a view. Asked for once a view, in the order in which the steps need them, all before the first step. */
	of(view: number): TextureSamples | Promise<TextureSamples>;
}

/** Called before every step; `texture` reads f32 [size, size, 3] as it is then, v up. Throwing ends the fit. */
export type BeforeStep = (step: number, texture: () => Promise<Float32Array>) => void | Promise<void>;

/**
 * Fits a texture f32 [size, size, 3] (0..1, row 0 at v = 0) to the colours of the views' samples: one view a step, loss =
 * mean |lookup - colour| over its samples and channels + 0.01 total variation, Adam. The same bytes for the same input.
 * A view is uploaded when the first step needs it, so that the steps begin before all samples are there. A view without samples leaves the
 * total variation alone.
 */
export async function fitTexture(
	device: Device,
	views: ViewSamples,
	request: {
		/** Texels per side. */
		readonly size: number;
		/** The steps, once the number of views is known. */
		readonly steps: (viewCount: number) => readonly BakeStep[];
		readonly beforeStep?: BeforeStep | undefined;
		/** f32 [size, size, 3] to begin with; zeros unless it is given. */
		readonly start?: Float32Array | undefined;
	},
): Promise<Float32Array> {
	const { size, steps, beforeStep, start } = request;
	const owned: Tensor[] = [];
	const upload = (label: string, dtype: "f32" | "u32", shape: readonly number[], values?: Uint32Array | Float32Array) => {
		const tensor = residentTensor(device, label, dtype, shape, values);
		owned.push(tensor);
		return tensor;
	};
	let executable: Executable | undefined;
	try {
		const schedule = steps(views.count);
		const looked = new Map<number, Promise<TextureSamples>>();
		for (const { view } of schedule) {
			if (looked.has(view)) continue;
			const samples = Promise.resolve(views.of(view));
			samples.catch(() => undefined); // reported by the step that needs it
			looked.set(view, samples);
		}
		const uploaded = new Map<number, Tensor>();
		const samplesOf = async (view: number): Promise<Tensor> => {
			const { count, values } = (await looked.get(view)) as TextureSamples;
			const tensor = upload(`samples of view ${view}`, "u32", [count, 4], values);
			looked.delete(view);
			uploaded.set(view, tensor);
			return tensor;
		};
		const image = upload("texture", "f32", [size, size, 3], start);
		const moments = ["first moment", "second moment"].map((label) => upload(label, "f32", [size, size, 3]));
		const { graph, samples } = recordStep(device, image, moments, Math.max(1, views.capacity));
		executable = await compileGraph(graph);
		let queued: Promise<void>[] = [];
		let earlier: Promise<unknown> = Promise.resolve();
		for (const [index, { view, learningRate }] of schedule.entries()) {
			await beforeStep?.(index, () => readTensor(device, image));
			const own = uploaded.get(view) ?? (await samplesOf(view));
			const count = own.shape[0];
			if (count > 0) copyTensor(device, own, rowsOf(samples, 0, count));
			// torch: the derivative of a mean is 1 / count in float32; one channel sees a third of it.
			const weight = count === 0 ? 0 : Math.fround(1 / (count * 3));
			const { scale, fineScale, fineBits } = fixedPoint(count, count * weight);
			const running = executable.run({
				count,
				weight,
				scale,
				fineScale,
				fineBits,
				inverseScale: 1 / scale,
				stepSize: learningRate / (1 - beta1 ** (index + 1)),
				rootCorrection: Math.sqrt(1 - beta2 ** (index + 1)),
			});
			running.catch(() => undefined); // reported below
			queued.push(running);
			if (queued.length < queuedSteps) continue;
			await earlier;
			earlier = Promise.all([...queued, device.idle()]);
			earlier.catch(() => undefined); // reported by the next wait
			queued = [];
		}
		await earlier;
		await Promise.all(queued);
		return await readTensor(device, image);
	} finally {
		executable?.destroy();
		for (const tensor of owned) release(device, tensor.storage);
	}
}

/** GPU bytes that `fitTexture` holds at most, for views with up to `counts` samples. */
export function textureFitBytes(device: Device, size: number, counts: readonly number[]): number {
	const [image, ...moments] = ["texture", "first moment", "second moment"].map((label) =>
		createTensor(label, "f32", [size, size, 3], "resident"),
	);
	const { graph } = recordStep(device, image, moments, Math.max(1, ...counts));
	const resident = counts.reduce((sum, count) => sum + Math.max(16, count * 16), image.storage.byteLength * 3);
	return resident + planGraph(graph).byteLength + Math.min(readPieceBytes, image.storage.byteLength);
}

/** One step over the view whose samples stand in `samples` u32 [capacity, 4]. */
function recordStep(device: Device, image: Tensor, [firstMoment, secondMoment]: readonly Tensor[], capacity: number) {
	const graph = new Graph(device, "texture step");
	const samples = graph.input("samples", "u32", [capacity, 4]);
	const count = graph.scalar("count", 0);
	const pyramid = texturePyramid(graph, image);
	const values = textureSample(graph, pyramid, samples, count);
	textureSampleGradient(graph, pyramid, {
		samples,
		values,
		comparesColors: true,
		weight: graph.scalar("weight", 0),
		scale: graph.scalar("scale", 1),
		fineScale: graph.scalar("fineScale", 1),
		count,
	});
	textureAdam(graph, {
		pyramid,
		gradient: texturePyramidGradient(graph, pyramid, {
			inverseScale: graph.scalar("inverseScale", 1),
			fineBits: graph.scalar("fineBits", 0),
		}),
		firstMoment,
		secondMoment,
		image,
		totalVariation,
		beta1,
		beta2,
		epsilon,
		stepSize: graph.scalar("stepSize", 0),
		rootCorrection: graph.scalar("rootCorrection", 1),
	});
	return { graph, samples };
}

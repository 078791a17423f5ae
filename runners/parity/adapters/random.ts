import { defaults } from "../../../engine/defaults.ts";
import { TorchCpuGenerator } from "../../../engine/random/mt19937.ts";
import { TorchCudaGenerator } from "../../../engine/random/philox.ts";
import { flowTimes, stageOneSchedule } from "../../../engine/samplers/flowEuler.ts";
import { timestepEmbedding } from "../../../engine/samplers/timestepEmbedding.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";

const all = (names: readonly string[]) => names;

interface Stream {
	readonly shape: readonly number[];
	readonly last4: readonly number[];
}

/** Streams that the kit draws one after the other from one seeding: a name here continues where the name it maps to ended. */
const continued: Readonly<Record<string, string>> = {
	"cpu.latents_after": "cpu.randn_10x1024",
	"cuda.fp16.latents": "cuda.fp16.randn_10x1024",
	"cuda.fp32.latents": "cuda.fp32.randn_10x1024",
};

async function runRng(context: ParityContext): Promise<ParityOutputs> {
	const { streams, cuda_sm: card } = context.meta as {
		streams: Record<string, Stream>;
		cuda_sm?: { multi_processor_count: number; max_threads_per_multi_processor: number };
	};
	const seed = Number(/manual_seed\((\d+)\)/.exec(JSON.stringify(context.meta.notes))?.[1] ?? defaults.seed);
	const layout = card && { multiprocessors: card.multi_processor_count, threadsPerMultiprocessor: card.max_threads_per_multi_processor };
	const count = (name: string) => streams[name].shape.reduce((product, extent) => product * extent, 1);
	const draw = (name: string): Float32Array => {
		const before = continued[name];
		if (name.startsWith("cpu.")) {
			const generator = new TorchCpuGenerator(seed);
			if (before !== undefined) generator.normals(count(before));
			return name.startsWith("cpu.rand_") ? generator.uniforms(count(name)) : generator.normals(count(name));
		}
		const generator = new TorchCudaGenerator(seed, layout);
		const dtype = name.startsWith("cuda.fp16") ? "f16" : "f32";
		if (before !== undefined) generator.normals(count(before), dtype);
		return generator.normals(count(name), dtype);
	};
	const outputs = new Map<string, HostTensor>();
	for (const [name, { shape, last4 }] of Object.entries(streams)) {
		const values = draw(name);
		outputs.set(`${name}.first64`, { shape: [Math.min(64, values.length)], data: values.slice(0, 64) });
		if (context.outputNames.includes(name)) outputs.set(name, { shape, data: values });
		const [, ...view] = shape;
		if (context.outputNames.includes(`${name}_view0`)) {
			outputs.set(`${name}_view0`, { shape: view, data: values.slice(0, values.length / shape[0]) });
		}
		const worst = Math.max(...last4.map((value, i) => Math.abs(value - values[values.length - last4.length + i])));
		if (worst > 2e-3) throw new Error(`${name}: its last four values differ from case.json by up to ${worst}`);
	}
	return outputs;
}

async function runTimesteps(context: ParityContext): Promise<ParityOutputs> {
	const outputs = new Map<string, HostTensor>();
	for (const name of context.outputNames) {
		const { shape } = context.expected(name);
		const steps = Number(/_(\d+)(_f64)?$/.exec(name)?.[1]);
		const width = shape[1];
		if (name.startsWith("t_seq_")) outputs.set(name, { shape, data: flowTimes(steps, defaults.rescaleT) });
		else if (name.startsWith("noise_level_0")) outputs.set(name, { shape, data: timestepEmbedding([0, 0], width) });
		else {
			const schedule = stageOneSchedule(steps, defaults.rescaleT);
			const unet = schedule.map((step) => step.unetTimestep);
			const structure = schedule.map((step) => step.structureTimestep);
			if (name.startsWith("trellis_t_fp16_")) outputs.set(name, { shape, data: Float32Array.from(structure) });
			else outputs.set(name, { shape, data: timestepEmbedding(name.startsWith("unet_") ? unet : structure, width) });
		}
	}
	return outputs;
}

/** Random streams and sampler tables: plain TypeScript. */
export const adapters: Adapters = {
	rng: { runs: "host", required: all, run: runRng },
	timesteps: { runs: "host", required: all, run: runTimesteps },
};

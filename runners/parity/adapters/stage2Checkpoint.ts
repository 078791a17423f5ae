import { declareSlatFlow, readSlatFlowConfig } from "../../../engine/models/slatFlow.ts";
import { declareSlatGaussianDecoder, readSlatGaussianDecoderConfig } from "../../../engine/models/slatGaussianDecoder.ts";
import { declareSlatMeshDecoder, readSlatMeshDecoderConfig } from "../../../engine/models/slatMeshDecoder.ts";
import { stageTwoSchedule } from "../../../engine/samplers/flowEuler.ts";
import type { Checkpoint } from "../../../weights/checkpoint.ts";
import { openCheckpoint } from "../../../weights/checkpointFolder.ts";
import { Weights } from "../../../weights/weights.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";

/** Opens the folder as a run would, loads the networks that the golden counts, and counts their parameters. */
async function runCheckpointFolder(context: ParityContext): Promise<ParityOutputs> {
	const checkpoint = await openCheckpoint(context.folder);
	const parameters = (await checkpoint.secondStage()).object("slat_sampler").object("params");
	const [from, to] = parameters.numbers("cfg_interval", { length: 2 });
	stageTwoSchedule(parameters.integer("steps", { min: 1 }), parameters.number("rescale_t"), [from, to]);
	const outputs = new Map<string, HostTensor>();
	for (const name of context.outputNames) {
		const component = name.replace(/\.n_params$/, "");
		const weights = await declared(checkpoint, component, context.dtype);
		await weights.load(await context.device());
		weights.release();
		const count = weights.declared.reduce((sum, { storedShape }) => sum + storedShape.reduce((product, extent) => product * extent, 1), 0);
		outputs.set(name, { shape: [1], data: Int32Array.of(count) });
	}
	return outputs;
}

async function declared(checkpoint: Checkpoint, component: string, dtype: "f16" | "f32"): Promise<Weights> {
	const engine = await checkpoint.engine();
	switch (component) {
		case "slat_flow_model": {
			const weights = Weights.open(await checkpoint.tensors(component));
			declareSlatFlow(weights, readSlatFlowConfig(await checkpoint.config(component)), dtype);
			return weights;
		}
		case "slat_decoder_gs": {
			const weights = Weights.open(await checkpoint.tensors(component));
			declareSlatGaussianDecoder(weights, readSlatGaussianDecoderConfig(await checkpoint.config(component), engine), dtype);
			return weights;
		}
		case "slat_decoder_mesh": {
			const weights = Weights.open(await checkpoint.tensors(component));
			declareSlatMeshDecoder(weights, readSlatMeshDecoderConfig(await checkpoint.config(component), engine), dtype);
			return weights;
		}
		default:
			throw new Error(`checkpoint_folder: no network is called "${component}"`);
	}
}

/** The golden checkpoint folder of stage 2. */
export const adapters: Adapters = {
	checkpoint_folder: { runs: "host", required: (names) => names, run: runCheckpointFolder },
};

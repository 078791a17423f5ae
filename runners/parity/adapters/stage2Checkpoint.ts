import { declareSlatFlow, readSlatFlowConfig } from "../../../engine/models/slatFlow.ts";
import { stageTwoSchedule } from "../../../engine/samplers/flowEuler.ts";
import { openCheckpoint } from "../../../weights/checkpointFolder.ts";
import { Weights } from "../../../weights/weights.ts";
import type { Adapters, ParityContext, ParityOutputs } from "../adapter.ts";

/** Opens the folder as a run would, loads the one network that is there, and counts its parameters. */
async function runCheckpointFolder(context: ParityContext): Promise<ParityOutputs> {
	const checkpoint = await openCheckpoint(context.folder);
	const parameters = (await checkpoint.secondStage()).object("slat_sampler").object("params");
	const [from, to] = parameters.numbers("cfg_interval", { length: 2 });
	stageTwoSchedule(parameters.integer("steps", { min: 1 }), parameters.number("rescale_t"), [from, to]);
	const weights = Weights.open(await checkpoint.tensors("slat_flow_model"));
	declareSlatFlow(weights, readSlatFlowConfig(await checkpoint.config("slat_flow_model")), context.dtype);
	await weights.load(await context.device());
	weights.release();
	const count = weights.declared.reduce((sum, { storedShape }) => sum + storedShape.reduce((product, extent) => product * extent, 1), 0);
	return new Map([["slat_flow_model.n_params", { shape: [1], data: Int32Array.of(count) }]]);
}

/** The golden checkpoint folder of stage 2. */
export const adapters: Adapters = {
	checkpoint_folder: { runs: "host", required: (names) => names, run: runCheckpointFolder },
};

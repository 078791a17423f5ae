import type { DType } from "../engine/gpu/tensor.ts";
import { readAutoencoderConfig } from "../engine/models/autoencoderConfig.ts";
import { declareAutoencoderKl } from "../engine/models/autoencoderKl.ts";
import { declareClipVision, readClipVisionConfig } from "../engine/models/clipVision.ts";
import { readCrossSpaceConfig } from "../engine/models/crossSpaceConfig.ts";
import { declareCrossSpaceDiffusion } from "../engine/models/crossSpaceDiffusion.ts";
import { declareDinov2, readDinov2Config } from "../engine/models/dinov2.ts";
import { declareSlatFlow, readSlatFlowConfig } from "../engine/models/slatFlow.ts";
import { declareSlatGaussianDecoder, readSlatGaussianDecoderConfig } from "../engine/models/slatGaussianDecoder.ts";
import { declareSlatMeshDecoder, readSlatMeshDecoderConfig } from "../engine/models/slatMeshDecoder.ts";
import { declareSparseStructureDecoder, readSparseStructureDecoderConfig } from "../engine/models/sparseStructureDecoder.ts";
import type { Checkpoint, Component } from "../weights/checkpoint.ts";
import type { ConfigReader } from "../weights/configReader.ts";
import { Weights } from "../weights/weights.ts";

/** Everything of a checkpoint that has weights. */
export type WeightedComponent = Component | "dinov2";

/** In the order in which a run reads them. */
export const weightedComponents: readonly WeightedComponent[] = [
	"image_encoder",
	"vae",
	"dinov2",
	"SyncHuman_2D3DCrossSpaceDiffusion",
	"sparse_structure_decoder",
	"slat_flow_model",
	"slat_decoder_gs",
	"slat_decoder_mesh",
];

type Declare = (weights: Weights, config: ConfigReader, engine: ConfigReader, dtype: DType) => unknown;

const declarations: Readonly<Record<WeightedComponent, Declare>> = {
	image_encoder: (weights, config, _engine, dtype) => declareClipVision(weights, readClipVisionConfig(config), dtype),
	vae: (weights, config, _engine, dtype) => declareAutoencoderKl(weights, readAutoencoderConfig(config), dtype),
	dinov2: (weights, _config, engine, dtype) => declareDinov2(weights, readDinov2Config(engine), dtype),
	SyncHuman_2D3DCrossSpaceDiffusion: (weights, config, engine, dtype) =>
		declareCrossSpaceDiffusion(weights, readCrossSpaceConfig(config, engine), dtype),
	sparse_structure_decoder: (weights, config, _engine, dtype) =>
		declareSparseStructureDecoder(weights, readSparseStructureDecoderConfig(config), dtype),
	slat_flow_model: (weights, config, _engine, dtype) => declareSlatFlow(weights, readSlatFlowConfig(config), dtype),
	slat_decoder_gs: (weights, config, engine, dtype) =>
		declareSlatGaussianDecoder(weights, readSlatGaussianDecoderConfig(config, engine), dtype),
	slat_decoder_mesh: (weights, config, engine, dtype) => declareSlatMeshDecoder(weights, readSlatMeshDecoderConfig(config, engine), dtype),
};

/**
 * A reader on which a whole network of a checkpoint is declared: `declared` lists its tensors, `finish` compares them with the file.
 * Throws code "checkpoint" where the config or the file cannot be used.
 */
export async function declareComponent(checkpoint: Checkpoint, component: WeightedComponent, dtype: DType): Promise<Weights> {
	const engine = await checkpoint.engine();
	const config = component === "dinov2" ? engine : await checkpoint.config(component);
	const weights = Weights.open(await checkpoint.tensors(component));
	declarations[component](weights, config, engine, dtype);
	return weights;
}

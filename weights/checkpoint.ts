import type { ConfigReader } from "./configReader.ts";
import type { StoredTensor, TensorSource } from "./source.ts";

/** Networks of OneStage/, by the names of pipeline_config.json; of the text encoder nothing is read. */
export type OneStageComponent = "image_encoder" | "vae" | "SyncHuman_2D3DCrossSpaceDiffusion" | "sparse_structure_decoder";

/** Networks of SecondStage/, by the names of pipeline.json. */
export type SecondStageComponent = "slat_flow_model" | "slat_decoder_gs" | "slat_decoder_mesh";

/** A network that has a folder with a config and weights. */
export type Component = OneStageComponent | SecondStageComponent;

/**
 * Everything that both stages load: a folder on disk (`openCheckpoint`) or a synthetic checkpoint. Each method rejects with code
 * "checkpoint", naming the file that is expected and where.
 */
export interface Checkpoint {
	/** What messages call it: the folder, or "synthetic:tiny". */
	readonly name: string;
	/** pipeline_config.json. */
	oneStage(): Promise<ConfigReader>;
	/** The `args` of pipeline.json: sampler, normalisation. */
	secondStage(): Promise<ConfigReader>;
	/** engine.json beside pipeline_config.json; without keys where there is none, so that readers state the official values as fallbacks. */
	engine(): Promise<ConfigReader>;
	/** preprocessor_config.json of the feature extractor. */
	featureExtractor(): Promise<ConfigReader>;
	/** Config of a network: the file, or its `args` where the form is {name, args}. */
	config(component: Component): Promise<ConfigReader>;
	/** Weights of a network, named as in its state dict. */
	tensors(component: Component | "dinov2"): Promise<TensorSource>;
	/** The fixed prompt embeddings of the colour or the normal views, F16 [7, 77, 1024] in the official files. */
	promptEmbeds(views: "color" | "normal"): Promise<StoredTensor>;
}

import { SyncHumanError } from "../engine/error.ts";
import type { Device } from "../engine/gpu/device.ts";
import { syntheticFillOnDevice } from "../engine/random/syntheticFillOnDevice.ts";
import { readClipPreprocessing } from "../engine/stages/clipPreprocessing.ts";
import type { Checkpoint } from "../weights/checkpoint.ts";
import { openCheckpoint } from "../weights/checkpointFolder.ts";
import { selectPromptEmbeddings } from "../weights/promptEmbeddings.ts";
import type { Folder } from "../weights/source.ts";
import { type SyntheticSize, syntheticCheckpoint } from "../weights/syntheticCheckpoint.ts";
import type { SyntheticFill } from "../weights/syntheticSource.ts";
import { declareComponent, type WeightedComponent } from "./declareComponent.ts";
import { directoryFolder } from "./files.ts";
import { recordWeightFiles, type WeightFile } from "./weightFiles.ts";

/** The weights that a command line names. */
export interface OpenedWeights<Kind = Checkpoint> {
	/** As it was given. */
	readonly name: string;
	readonly synthetic: boolean;
	/** The checkpoint for one device, on which large synthetic tensors are made. */
	checkpointFor(device: Device): Kind;
	/** The files that were opened; none for synthetic weights. */
	files(): Promise<readonly WeightFile[]>;
}

/** Networks of each stage. */
const components: Readonly<Record<"1" | "2", readonly WeightedComponent[]>> = Object.freeze({
	"1": ["image_encoder", "vae", "dinov2", "SyncHuman_2D3DCrossSpaceDiffusion", "sparse_structure_decoder"],
	"2": ["dinov2", "slat_flow_model", "slat_decoder_gs", "slat_decoder_mesh"],
});

/** The size of "synthetic:SIZE"; undefined for a folder. Throws code "checkpoint" for another size. */
export function syntheticSize(name: string): SyntheticSize | undefined {
	if (!name.startsWith("synthetic:")) return undefined;
	const size = name.slice("synthetic:".length);
	if (size === "tiny" || size === "full") return size;
	throw new SyncHumanError("checkpoint", `${name}: there is no such synthetic checkpoint.`, "There are synthetic:tiny and synthetic:full.");
}

/** Weights by name: of "synthetic:SIZE" what `synthetic` makes, of a folder what `open` opens and looks at. Throws code "checkpoint". */
export async function openNamedWeights<Kind>(
	name: string,
	synthetic: (size: SyntheticSize, options: { readonly fillOnDevice: SyntheticFill }) => Kind,
	open: (folder: Folder) => Promise<Kind>,
): Promise<OpenedWeights<Kind>> {
	const size = syntheticSize(name);
	if (size !== undefined) {
		const checkpointFor = (device: Device) => synthetic(size, { fillOnDevice: syntheticFillOnDevice(device) });
		return { name, synthetic: true, checkpointFor, files: async () => [] };
	}
	const recorder = recordWeightFiles(directoryFolder(name));
	const checkpoint = await open(recorder.folder);
	return { name, synthetic: false, checkpointFor: () => checkpoint, files: recorder.files };
}

/**
 * A checkpoint folder, or synthetic weights by name. Of a folder the headers of every file that `stages` need are read and compared
 * with the networks, so that a run does not find a missing tensor after its first half. Throws code "checkpoint".
 */
export function openWeights(name: string, stages: readonly ("1" | "2")[]): Promise<OpenedWeights> {
	return openNamedWeights(name, syntheticCheckpoint, async (folder) => {
		const checkpoint = await openCheckpoint(folder);
		for (const component of new Set(stages.flatMap((stage) => components[stage]))) {
			(await declareComponent(checkpoint, component, "f32")).finish();
		}
		if (stages.includes("1")) {
			readClipPreprocessing(await checkpoint.featureExtractor());
			selectPromptEmbeddings(await checkpoint.promptEmbeds("normal"), await checkpoint.promptEmbeds("color"));
		}
		if (stages.includes("2")) await checkpoint.secondStage();
		return checkpoint;
	});
}

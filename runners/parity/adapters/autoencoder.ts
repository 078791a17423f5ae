import { readAutoencoderConfig } from "../../../engine/models/autoencoderConfig.ts";
import { declareAutoencoderDecoder, declareAutoencoderEncoder, recordDecode, recordEncode } from "../../../engine/models/autoencoderKl.ts";
import {
	declareSparseStructureDecoder,
	occupiedVoxels,
	readSparseStructureDecoderConfig,
	recordSparseStructureDecoder,
} from "../../../engine/models/sparseStructureDecoder.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { configOf } from "../configOf.ts";
import { permuted, recordedRun } from "../recordedRun.ts";

/** [n, c, ...extent] to [n, ...extent, c]. */
const channelsLast = (x: HostTensor) => permuted(x, [0, ...x.shape.slice(2).map((_, axis) => axis + 2), 1]);

/** The way back. */
const channelsFirst = (x: HostTensor) => permuted(x, [0, x.shape.length - 1, ...x.shape.slice(2).map((_, axis) => axis + 1)]);

const toOfficial = (values: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> =>
	new Map([...values].map(([name, value]) => [name, channelsFirst(value)]));

async function runEncode(context: ParityContext): Promise<ParityOutputs> {
	const config = readAutoencoderConfig(configOf(context.config["config.json"], "config.json"));
	const image = channelsLast(await context.input("image"));
	const values = await recordedRun(
		context,
		(weights) => declareAutoencoderEncoder(weights, config, context.dtype),
		({ graph, input }, encoder) => ({ latents_scaled: recordEncode(graph, encoder, input("image", "f32", image.shape, image.data)) }),
	);
	return toOfficial(values);
}

async function runDecode(context: ParityContext): Promise<ParityOutputs> {
	const config = readAutoencoderConfig(configOf(context.config["config.json"], "config.json"));
	const latents = channelsLast(await context.input("latents"));
	const values = await recordedRun(
		context,
		(weights) => declareAutoencoderDecoder(weights, config, context.dtype),
		({ graph, input }, decoder) => ({ image: recordDecode(graph, decoder, input("latents", "f32", latents.shape, latents.data)) }),
	);
	return toOfficial(values);
}

async function runStructureDecoder(context: ParityContext): Promise<ParityOutputs> {
	const config = readSparseStructureDecoderConfig(configOf(context.config["config.json"].args, "config.json"));
	const latent = channelsLast(await context.input("latent"));
	const values = await recordedRun(
		context,
		(weights) => declareSparseStructureDecoder(weights, config, context.dtype),
		({ graph, input }, decoder) => ({
			occupancy_logits: recordSparseStructureDecoder(graph, decoder, input("latent", "f32", latent.shape, latent.data)),
		}),
	);
	const outputs = toOfficial(values);
	const logits = outputs.get("occupancy_logits") as HostTensor;
	const coords = occupiedVoxels(logits.data, logits.shape[2]);
	const rows = coords.length / 4;
	const listed = Math.min(64, rows);
	outputs.set("coords", { shape: [rows, 4], data: coords });
	outputs.set("coords_head", { shape: [listed, 4], data: coords.slice(0, listed * 4) });
	outputs.set("coords_tail", { shape: [listed, 4], data: coords.slice((rows - listed) * 4) });
	return outputs;
}

/** The networks around the latents of stage 1: the autoencoder's halves and the sparse-structure decoder. */
export const adapters: Adapters = {
	vae_encode: { runs: "device", required: (names) => names, run: runEncode },
	vae_decode: { runs: "device", required: (names) => names, run: runDecode },
	sparse_structure_decoder: { runs: "device", required: (names) => names, run: runStructureDecoder },
};

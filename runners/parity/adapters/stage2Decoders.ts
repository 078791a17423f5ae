import { reshape } from "../../../engine/gpu/tensor.ts";
import { subdividedCoordinates } from "../../../engine/kernels/sparse/subdividedVoxels.ts";
import { viewPixels } from "../../../engine/kernels/sparse/viewPixels.ts";
import { recordPixelFeatures, type SlatDecoderConfig, type SlatDecoderInput } from "../../../engine/models/slatDecoder.ts";
import {
	declareSlatGaussianDecoder,
	readSlatGaussianDecoderConfig,
	recordSlatGaussianDecoder,
} from "../../../engine/models/slatGaussianDecoder.ts";
import { declareSlatMeshDecoder, readSlatMeshDecoderConfig, recordSlatMeshDecoder } from "../../../engine/models/slatMeshDecoder.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { linspaceRows } from "../compare.ts";
import { configOf } from "../configOf.ts";
import { type RecordedValues, type Recording, recordedRun } from "../recordedRun.ts";
import { coordinatesOf, keptRows, keptShape } from "../sparseRows.ts";
import { meshFromFeatures } from "./mesh.ts";

interface DecoderCase {
	readonly coords: Int32Array;
	readonly config: ReturnType<typeof configOf>;
	/** The constructor defaults that the case changes, as engine.json would have them. */
	readonly engine: ReturnType<typeof configOf>;
	input(recording: Recording, trunk: SlatDecoderConfig): SlatDecoderInput;
}

async function decoderCase(context: ParityContext): Promise<DecoderCase> {
	const coords = coordinatesOf(await context.input("coords"));
	const [slat, colors, normals] = [await context.input("slat"), await context.input("mv_img"), await context.input("mv_normal")];
	return {
		coords,
		config: configOf(context.config.args, `${context.name}/case.json`),
		engine: configOf(context.meta.overrides ?? {}, `${context.name}/case.json: overrides`),
		input({ input }, { imageChannels }) {
			const maps = (label: string, { shape, data }: HostTensor) =>
				reshape(input(label, context.dtype, shape, data), [4, shape[2], shape[3], imageChannels]);
			return {
				coords,
				slat: input("slat", "f32", slat.shape, slat.data),
				colors: maps("mv_img", colors),
				normals: maps("mv_normal", normals),
			};
		},
	};
}

async function runGaussianDecoder(context: ParityContext): Promise<ParityOutputs> {
	const decoder = await decoderCase(context);
	const config = readSlatGaussianDecoderConfig(decoder.config, decoder.engine);
	const side = (await context.input("mv_img")).shape[2];
	const values = await recordedRun(
		context,
		(weights) => declareSlatGaussianDecoder(weights, config, context.dtype),
		(recording, model) => {
			const { graph } = recording;
			const input = decoder.input(recording, config.trunk);
			const { raw, activated } = graph.scope("act", () => recordSlatGaussianDecoder(graph, model, input));
			const { frontBack, sides } = recordPixelFeatures(graph, model.trunk, input);
			return { raw, activated, frontBack, sides };
		},
	);
	const outputs = new Map<string, HostTensor>([...values].filter(([name]) => name.startsWith("act.")));
	const rows = context.expected("rows").data;
	const part = (name: "raw" | "activated", first: number, width: number) => keptRows(columnsOf(values, name, first, width), rows);
	for (const [name, first, width] of [
		["_xyz", 0, 3],
		["_features_dc", 3, 3],
		["_scaling", 6, 3],
		["_rotation", 9, 4],
		["_opacity", 13, 1],
	] as const) {
		outputs.set(name, part("raw", first, width));
		if (name !== "_features_dc") outputs.set(name.slice(1), part("activated", first, width));
	}
	return addPixelFeatures(context, outputs, values, viewPixels(decoder.coords, side), config.trunk.viewChannels);
}

function columnsOf(values: RecordedValues, name: string, first: number, width: number): HostTensor {
	const { shape, data } = values.get(name) ?? { shape: [0, 1], data: new Float32Array(0) };
	const [rows, stride] = shape;
	const part = new Float32Array(rows * width);
	for (let row = 0; row < rows; row++) part.set(data.subarray(row * stride + first, row * stride + first + width), row * width);
	return { shape: [rows, width], data: part };
}

/** Every voxel's view features as upstream joins them, [voxels, 4 * viewChannels] in the order of the views. */
function addPixelFeatures(
	context: ParityContext,
	outputs: Map<string, HostTensor>,
	values: RecordedValues,
	{ frontBack, positions }: ReturnType<typeof viewPixels>,
	viewChannels: number,
): ParityOutputs {
	const [front, sides] = [values.get("frontBack"), values.get("sides")];
	if (front === undefined || sides === undefined) return outputs;
	const rows = context.expected("cond_rows").data;
	["cond_normal", "cond_color"].forEach((name, kind) => {
		const data = new Float32Array(rows.length * 4 * viewChannels);
		rows.forEach((voxel: number, i: number) => {
			for (let view = 0; view < 4; view++) {
				const lateral = view % 2;
				const source = lateral === 0 ? front : sides;
				const row = positions[voxel * 2 + lateral] - (lateral === 0 ? 0 : frontBack.length);
				const from = (row * 4 + 2 * kind + (view >> 1)) * viewChannels;
				data.set(source.data.subarray(from, from + viewChannels), (i * 4 + view) * viewChannels);
			}
		});
		outputs.set(name, { shape: [rows.length, 4 * viewChannels], data });
	});
	return outputs;
}

async function decodedCubes(context: ParityContext): Promise<{ values: RecordedValues; coords: Int32Array; resolution: number }> {
	const decoder = await decoderCase(context);
	const config = readSlatMeshDecoderConfig(decoder.config, decoder.engine);
	const values = await recordedRun(
		context,
		(weights) => declareSlatMeshDecoder(weights, config, context.dtype),
		(recording, model) => {
			const { graph } = recording;
			return {
				feats: graph.scope("act", () => recordSlatMeshDecoder(graph, model, decoder.input(recording, config.trunk), config.colors)),
			};
		},
	);
	return { values, coords: subdividedCoordinates(subdividedCoordinates(decoder.coords)), resolution: 4 * config.trunk.resolution };
}

async function runMeshDecoder(context: ParityContext): Promise<ParityOutputs> {
	const { values, coords } = await decodedCubes(context);
	const rows = context.expected("rows").data;
	const fine = coords.length / 4;
	const outputs = new Map<string, HostTensor>();
	for (const [name, value] of values) {
		const [kept] = keptShape(context, name);
		if (kept === value.shape[0]) outputs.set(name, value);
		else outputs.set(name, keptRows(value, value.shape[0] === fine ? rows : sampledRows(context, value.shape[0], kept)));
	}
	return outputs.set("coords", keptRows({ shape: [fine, 4], data: coords }, rows)).set("n_rows", { shape: [1], data: Int32Array.of(fine) });
}

/** Rows of an activation that has no list of its own; the full-size case was sampled on a GPU, whose linspace rounds two of them otherwise. */
function sampledRows(context: ParityContext, rows: number, kept: number): readonly number[] {
	const list = linspaceRows(rows, kept);
	if (context.full && rows === 69160 && kept === 1024) {
		list[317] = 21430;
		list[999] = 67536;
	}
	return list;
}

/** The features from the network; the mesh from the golden's own features, as a discrete result of floats. */
async function runMeshExtraction(context: ParityContext): Promise<ParityOutputs> {
	const { values, coords, resolution } = await decodedCubes(context);
	const fineCoords = { shape: [coords.length / 4, 4], data: coords };
	const mesh = await meshFromFeatures(await context.device(), context.expected("feats"), fineCoords, resolution);
	return new Map<string, HostTensor>([...[...values].filter(([name]) => name === "feats"), ...mesh]).set("fine_coords", fineCoords);
}

const withoutRows = (names: readonly string[]) => names.filter((name) => !/(^|_)rows$/.test(name) || name === "n_rows");

/** The golden cases of the decoders of structured latents. */
export const adapters: Adapters = {
	slat_decoder_gs: { runs: "device", required: withoutRows, run: runGaussianDecoder },
	slat_decoder_mesh: { runs: "device", required: withoutRows, run: runMeshDecoder },
	slat_decoder_mesh_extract: { runs: "device", required: withoutRows, run: runMeshExtraction },
};

import type { Checkpoint } from "../../weights/checkpoint.ts";
import type { ConfigReader } from "../../weights/configReader.ts";
import { syntheticBody } from "../../weights/syntheticCheckpoint.ts";
import type { Weights } from "../../weights/weights.ts";
import { defaults } from "../defaults.ts";
import { SyncHumanError } from "../error.ts";
import { createTensor, type DType, rowsOf } from "../gpu/tensor.ts";
import { allocate, copyTensor, release, writeTensor } from "../gpu/transfer.ts";
import { Graph } from "../graph/graph.ts";
import type { Image } from "../image/image.ts";
import { centredOnBlack } from "../image/personImage.ts";
import { inputForDino, loadView, viewForDino } from "../image/stageViews.ts";
import { subdividedCoordinates } from "../kernels/sparse/subdividedVoxels.ts";
import { extractMesh, extractMeshKernels } from "../mesh/flexicubes.ts";
import { type Dinov2, declareDinov2, readDinov2Config, recordDinov2 } from "../models/dinov2.ts";
import { declareSlatFlow, readSlatFlowConfig } from "../models/slatFlow.ts";
import { slatFlowGeometry } from "../models/slatFlowGeometry.ts";
import { declareSlatGaussianDecoder, readSlatGaussianDecoderConfig, recordSlatGaussianDecoder } from "../models/slatGaussianDecoder.ts";
import { declareSlatMeshDecoder, readSlatMeshDecoderConfig, recordSlatMeshDecoder } from "../models/slatMeshDecoder.ts";
import { type BodyShell, bodyCoordinates, bodySdf } from "../random/bodyGeometry.ts";
import { TorchCpuGenerator } from "../random/mt19937.ts";
import { stageTwoSchedule } from "../samplers/flowEuler.ts";
import type { GaussianCloud } from "../splat/gaussianCloud.ts";
import { bodyColors } from "./bodyColors.ts";
import { type FinishOptions, finishMesh } from "./finish.ts";
import { requireFinite, requireFiniteTensor } from "./finite.ts";
import { latentFlowPart, runLatentFlow } from "./latentFlow.ts";
import type { Network, NetworkRequest } from "./networks.ts";
import { type Part, type PartContext, planStage, runPart, stopIfAborted } from "./part.ts";
import type { StageOneResult, StageTwoResult } from "./results.ts";
import { denormalizedLatents, recordSlatSampling } from "./slatSampling.ts";

/** What a run of stage 2 is made from. */
export interface StageTwoRequest {
	readonly checkpoint: Checkpoint;
	readonly dtype: DType;
	readonly stageOne: StageOneResult;
	readonly seed: number;
	/** Steps of the latent flow. */
	readonly steps: number;
	/** How the surface is finished; undefined leaves it as it is, with a colour per vertex. */
	readonly finish?: FinishOptions | undefined;
}

/** Body views that the decoders and the colours see; the face view is not among them. */
const bodyViews = 4;

/** The analytic SDF is counted in cubes of FlexiCubes' grid and as many times more, so that it stands above the decoder's noise. */
const syntheticSdfGain = 4;

/** pipeline.json's sampler and normalisation; where the sampler's values are absent, the released ones. */
function readPipeline(pipeline: ConfigReader) {
	const sampler = pipeline.has("slat_sampler") ? pipeline.object("slat_sampler") : undefined;
	const params = sampler?.has("params") ? sampler.object("params") : undefined;
	const normalization = pipeline.object("slat_normalization");
	const [start, end] =
		params?.numbers("cfg_interval", { fallback: defaults.stageTwoGuidanceInterval, length: 2 }) ?? defaults.stageTwoGuidanceInterval;
	return {
		guidance: params?.number("cfg_strength", { fallback: defaults.stageTwoGuidance }) ?? defaults.stageTwoGuidance,
		interval: [start, end] as const,
		rescaleT: params?.number("rescale_t", { fallback: defaults.rescaleT }) ?? defaults.rescaleT,
		mean: normalization.numbers("mean"),
		deviation: normalization.numbers("std"),
	};
}

/** The figure of a synthetic checkpoint, or undefined for a real one. */
function syntheticShell(checkpoint: Checkpoint): BodyShell | undefined {
	if (!checkpoint.name.startsWith("synthetic:")) return undefined;
	return checkpoint.name === "synthetic:full" ? syntheticBody.full : syntheticBody.tiny;
}

/**
 * Views and voxels to mesh and Gaussians. Upstream: SyncHumanTwoStagePipeline.run, its noise seeded here. With synthetic
 * weights, and only then, the voxels are those of an analytic figure, whose SDF is added to the mesh decoder's.
 */
export async function runStageTwo(context: PartContext, request: StageTwoRequest): Promise<StageTwoResult> {
	const { stageOne, seed, finish } = request;
	const decoded = await runNetworks(context, request);
	const { mesh, gaussians } = decoded;
	if (finish === undefined) {
		const { positions, faces } = mesh;
		return { ...decoded, mesh: { positions, faces, colors: bodyColors(mesh, stageOne) } };
	}
	return { ...decoded, ...(await finishMesh(context, { ...finish, mesh, gaussians, stageOne, seed })) };
}

/** The networks: a surface without colours, and Gaussians. */
async function runNetworks(context: PartContext, request: StageTwoRequest): Promise<StageTwoResult> {
	const { device } = context;
	const { checkpoint, dtype, stageOne, seed, steps } = request;
	const shell = syntheticShell(checkpoint);
	const coords = shell ? bodyCoordinates(shell) : stageOne.coordinates;
	if (coords.length === 0) {
		throw new SyncHumanError(
			"input",
			"Stage 1 found no occupied voxel.",
			"Use a picture in which the whole person is visible and cut out, or another seed.",
		);
	}
	const voxels = coords.length / 4;
	const engine = await checkpoint.engine();
	const pipeline = readPipeline(await checkpoint.secondStage());
	const open = <Model>(component: NetworkRequest<Model>["component"], declare: (weights: Weights) => Model) =>
		context.networks.open({ checkpoint, dtype, component, declare });
	const dinoConfig = readDinov2Config(engine);
	const dino = await open("dinov2", (weights) => declareDinov2(weights, dinoConfig, dtype));
	const views = prepareViews(context, dino, engine, dinoConfig.patchSize);
	const flowConfig = readSlatFlowConfig(await checkpoint.config("slat_flow_model"));
	const { weights: flowWeights, model: flowModel } = await open("slat_flow_model", (weights) =>
		declareSlatFlow(weights, flowConfig, dtype),
	);
	const schedule = stageTwoSchedule(steps, pipeline.rescaleT, pipeline.interval);
	const sampling = recordSlatSampling(device, flowModel, {
		geometry: slatFlowGeometry(coords, flowModel.config.ioChannels.length),
		tokens: views.tokens,
		schedule,
		guidance: pipeline.guidance,
	});
	const flowPart = latentFlowPart(flowWeights, sampling);
	const decoderInputs = { coords, colors: views.colors, normals: views.normals };

	const splatGraph = new Graph(device, "Gaussian decoder");
	const splatConfig = readSlatGaussianDecoderConfig(await checkpoint.config("slat_decoder_gs"), engine);
	const splat = await open("slat_decoder_gs", (weights) => declareSlatGaussianDecoder(weights, splatConfig, dtype));
	const splatLatent = splatGraph.input("latent", "f32", [voxels, splatConfig.trunk.latentChannels]);
	const gaussians = splatGraph.output(
		recordSlatGaussianDecoder(splatGraph, splat.model, { ...decoderInputs, slat: splatLatent }).activated,
	);
	const splatPart: Part = { name: "Gaussian decoder", weights: [splat.weights], graphs: [splatGraph] };

	const meshGraph = new Graph(device, "mesh decoder");
	const meshConfig = readSlatMeshDecoderConfig(await checkpoint.config("slat_decoder_mesh"), engine);
	const meshNetwork = await open("slat_decoder_mesh", (weights) => declareSlatMeshDecoder(weights, meshConfig, dtype));
	const meshLatent = meshGraph.input("latent", "f32", [voxels, meshConfig.trunk.latentChannels]);
	const cubes = meshGraph.output(recordSlatMeshDecoder(meshGraph, meshNetwork.model, { ...decoderInputs, slat: meshLatent }, false));
	const cubeCoords = positionsOf(subdividedCoordinates(subdividedCoordinates(coords)));
	const resolution = meshConfig.trunk.resolution * 4;
	const coordsOnDevice = createTensor("cube coords", "i32", [cubeCoords.length / 3, 3], "resident");
	// FlexiCubes: 36 bytes a cube of its row and what is added to its SDF, and where every cube holds some of the surface, which noise comes
	// close to, 360 more of cases, corners, edges, points, four dual vertices and faces; the grid's sets of bits, and what the mesh is read
	// through. A body's own surface at 256^3 takes 84 a cube in all. Beside them the cubes' coordinates.
	const meshPart: Part = {
		name: "mesh decoder",
		weights: [meshNetwork.weights],
		graphs: [meshGraph],
		tensors: [coordsOnDevice],
		kernels: extractMeshKernels(device, { cubeFeatures: cubes, resolution, hasAddedSdf: shell !== undefined }),
		extraBytes: (cubeCoords.length / 3) * 396 + 2 * resolution ** 3,
	};

	await planStage(context, "stage 2", [views.part, flowPart, splatPart, meshPart], [views.colors, views.normals]);
	try {
		for (const { storage } of [views.colors, views.normals]) allocate(device, storage);
		const condition = await runViews(context, views, stageOne);
		const noise = new TorchCpuGenerator(seed).normals(voxels * flowModel.config.inChannels);
		const flowed = await runLatentFlow(context, flowPart, sampling, { cond: condition, noise, schedule });
		const latents = denormalizedLatents(flowed, pipeline.mean, pipeline.deviation);
		const splats = await runPart(context, splatPart, async ([executable]) => {
			const prepare = () => {
				executable.write(splatLatent, latents);
				return executable;
			};
			await prepare().run();
			const values = await executable.read(gaussians);
			await requireFinite(device, splatPart.name, values, prepare);
			return gaussianCloud(values);
		});
		const mesh = await runPart(context, meshPart, async ([executable]) => {
			const prepare = () => {
				executable.write(meshLatent, latents);
				return executable;
			};
			await prepare().run();
			// While the decoder runs.
			writeTensor(device, coordsOnDevice, cubeCoords);
			// Before the surface: a NaN in the SDF would be a hole in it, or no surface at all.
			await requireFiniteTensor(device, meshPart.name, cubes, prepare);
			const surface = await extractMesh(device, {
				cubeFeatures: cubes,
				coords: cubeCoords,
				coordsOnDevice,
				resolution,
				addedSdf:
					shell &&
					((x, y, z) => syntheticSdfGain * resolution * shell.height * bodySdf(x / shell.height, y / shell.height, z / shell.height)),
			});
			await requireFinite(device, meshPart.name, surface.positions, prepare);
			return surface;
		});
		if (mesh.faces.length === 0) {
			throw new SyncHumanError("input", "The mesh decoder's surface is empty.", "Use another picture or another seed.");
		}
		return { mesh, gaussians: splats, syntheticGeometry: shell !== undefined };
	} finally {
		for (const { storage } of [views.colors, views.normals]) release(device, storage);
	}
}

/** DINOv2 over the input picture (condition) and the views (features handed over to the decoders). */
function prepareViews({ device }: PartContext, { weights, model }: Network<Dinov2>, engine: ConfigReader, patchSize: number) {
	const viewPixels = engine.integer("multiview_pixels", { fallback: defaults.dinoViewSize, min: patchSize });
	const inputGraph = new Graph(device, "DINOv2 of the input");
	const input = inputGraph.input("pixels", "f32", [1, defaults.inputSize, defaults.inputSize, 3]);
	const { condition } = recordDinov2(inputGraph, model, { pixels: input, condition: true });
	const viewGraph = new Graph(device, "DINOv2 of a view");
	const view = viewGraph.input("pixels", "f32", [1, viewPixels, viewPixels, 3]);
	const { features } = recordDinov2(viewGraph, model, { pixels: view, features: model.dtype });
	if (condition === undefined || features === undefined) throw new Error("DINOv2 gave no condition or no features");
	const maps = (label: string) => createTensor(label, model.dtype, [bodyViews, ...features.shape.slice(1)], "resident");
	return {
		part: { name: "view features", weights: [weights], graphs: [inputGraph, viewGraph] } satisfies Part,
		tokens: condition.shape[1],
		viewPixels,
		input,
		view,
		condition: inputGraph.output(condition),
		features: viewGraph.output(features),
		colors: maps("features of the colour views"),
		normals: maps("features of the normal views"),
	};
}

/** Fills the handed-over features; gives the condition [tokens, channels]. */
function runViews(context: PartContext, views: ReturnType<typeof prepareViews>, stageOne: StageOneResult): Promise<Float32Array> {
	const { device } = context;
	return runPart(context, views.part, async ([ofInput, ofView], report) => {
		const prepare = () => {
			ofInput.write(views.input, inputForDino(centredOnBlack(stageOne.input, defaults.inputSize)).data);
			return ofInput;
		};
		await prepare().run();
		const jobs = [[views.colors, stageOne.colors] as const, [views.normals, stageOne.normals] as const].flatMap(([maps, pictures]) =>
			pictures.slice(0, bodyViews).map((picture, view) => ({ picture, into: rowsOf(maps, view, 1) })),
		);
		const pixelsOf = (picture: Image) => viewForDino(loadView(picture, defaults.viewSize), views.viewPixels).data;
		// The pixels of a view are made while the GPU looks at what came before it.
		let pixels = pixelsOf(jobs[0].picture);
		const condition = await ofInput.read(views.condition);
		await requireFinite(device, views.part.name, condition, prepare);
		for (const [done, { picture, into }] of jobs.entries()) {
			stopIfAborted(context);
			ofView.write(views.view, pixels);
			await ofView.run();
			if (done + 1 < jobs.length) pixels = pixelsOf(jobs[done + 1].picture);
			await requireFiniteTensor(device, views.part.name, views.features, () => {
				ofView.write(views.view, pixelsOf(picture));
				return ofView;
			});
			copyTensor(device, views.features, into);
			report(1 + done, 1 + jobs.length);
		}
		await device.idle();
		return condition;
	});
}

/** The x, y, z of rows (batch, x, y, z). */
function positionsOf(coords: Int32Array): Int32Array {
	const positions = new Int32Array((coords.length / 4) * 3);
	for (let from = 0, to = 0; from < coords.length; from += 4, to += 3) {
		for (let axis = 0; axis < 3; axis++) positions[to + axis] = coords[from + 1 + axis];
	}
	return positions;
}

/** Columns of the decoder's Gaussians: position 3, colour 3, scale 3, rotation 4, opacity 1. */
function gaussianCloud(values: Float32Array): GaussianCloud {
	const columns = 14;
	const count = values.length / columns;
	const pick = (first: number, width: number) => {
		const picked = new Float32Array(count * width);
		for (let i = 0; i < count; i++) for (let c = 0; c < width; c++) picked[i * width + c] = values[i * columns + first + c];
		return picked;
	};
	return { count, positions: pick(0, 3), featuresDc: pick(3, 3), scales: pick(6, 3), rotations: pick(9, 4), opacities: pick(13, 1) };
}

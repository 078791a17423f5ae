import { defaults } from "../defaults.ts";
import type { Device } from "../gpu/device.ts";
import { imageOf } from "../image/image.ts";
import { bakeNormals } from "../mesh/bakeNormals.ts";
import { bakeStepCount } from "../mesh/bakeSchedule.ts";
import { bakeSamples } from "../mesh/bakeTexture.ts";
import { visibilityBytes } from "../mesh/faceVisibility.ts";
import { textureFitBytes } from "../mesh/fitTexture.ts";
import { headBall } from "../mesh/headBall.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type RepairReport, repairDefaults, repairMesh } from "../mesh/repair.ts";
import { simplifiedFaceCount, simplifyMesh } from "../mesh/simplify.ts";
import { startTexture } from "../mesh/startTexture.ts";
import type { BakeObservation, SeenFaces, TextureSamples } from "../mesh/textureSamples.ts";
import { defaultPadding } from "../mesh/unwrap.ts";
import { vertexNormals } from "../mesh/vertexNormals.ts";
import { vertexTangents } from "../mesh/vertexTangents.ts";
import { NumpyRandomState } from "../random/numpyRandomState.ts";
import { bakeViews, type ClipCamera, cameraFov, cameraRadius, fovIntrinsics, visibilityViews } from "../splat/cameras.ts";
import { mostCoveredPixels, mostTilePairs } from "../splat/gaussianBounds.ts";
import type { GaussianCloud } from "../splat/gaussianCloud.ts";
import { gaussianRendererBytes } from "../splat/renderGaussians.ts";
import { bodyColors } from "./bodyColors.ts";
import { checkViews } from "./checkViews.ts";
import { type FinishWork, finishWorkHere, type OpenFinishWork } from "./finishWork.ts";
import { type Part, type PartContext, planStage, runPart, stopIfAborted } from "./part.ts";
import type { MeshTexture, NormalMap, StageOneResult } from "./results.ts";
import { type BodyPicture, bodyPictures, textureViews } from "./textureViews.ts";
import { viewTexture, viewWeights } from "./viewTexture.ts";

/** How a surface is finished. */
export interface FinishOptions {
	/** Texels per side. */
	readonly textureSize: number;
	/** Up to 1 the share of the faces that stays, above it their number. */
	readonly simplify: number;
	/** Texels per area of the head as a multiple of those elsewhere; 1 unless it is given. */
	readonly faceTexels?: number | undefined;
	/** Whether the normal views become a normal map. */
	readonly normalMap?: boolean | undefined;
	/** Who unwraps, looks views up and fills gaps: this thread unless it is given. */
	readonly openFinishWork?: OpenFinishWork | undefined;
	/** How much is looked at; `finishDefaults` unless told otherwise. */
	readonly effort?: Partial<typeof finishDefaults> | undefined;
}

/** Upstream's numbers: views that decide what is hidden and their pixels, pictures of the Gaussians and theirs, steps of the texture fit. */
export const finishDefaults = Object.freeze({
	visibilityViews: repairDefaults.views as number,
	visibilitySize: repairDefaults.size as number,
	/** Pixels of a body view's side in the fit. */
	viewSize: defaults.viewSize as number,
	renders: 95 as number,
	renderSize: 1024 as number,
	fitSteps: bakeStepCount as number,
	/** Free pixels around every chart. */
	padding: defaultPadding as number,
});

/** Enough to see that everything works, on a CPU in seconds; textures come out coarse. */
export const sketchEffort: typeof finishDefaults = Object.freeze({
	...finishDefaults,
	visibilityViews: 150,
	visibilitySize: 256,
	viewSize: 256,
	renders: 12,
	renderSize: 256,
	fitSteps: 150,
});

/** What is finished. */
export interface FinishRequest extends FinishOptions {
	/** The surface as FlexiCubes left it. */
	readonly mesh: Mesh;
	/** Drawn from all around for the texture; where there are none, the views alone make it. */
	readonly gaussians?: GaussianCloud | undefined;
	/** The five views: front, right, back, left, face. */
	readonly stageOne: Pick<StageOneResult, "colors" | "normals">;
	/** Of the order of the views: numpy's RandomState. */
	readonly seed: number;
}

/** A surface with a picture on it; its vertices are doubled along the seams of the charts. */
export interface FinishedSurface {
	readonly mesh: Mesh;
	readonly texture: MeshTexture;
	readonly repair: RepairReport;
}

/**
 * The surface of stage 2 as a clean textured mesh: simplified, hidden and floating parts cut away, small holes closed, unwrapped, and
 * its texture fitted to the five views and to pictures of the Gaussians. The same result for the same input on the same device. Upstream: to_glb
 * (reference/stage2/ARCHITECTURE.md sections 10, 11). Throws code "input" for a mesh or views that cannot be used, "memory" before the GPU
 * holds more than it may, "aborted" within a step.
 */
export async function finishMesh(context: PartContext, request: FinishRequest): Promise<FinishedSurface> {
	const { textureSize, openFinishWork = finishWorkHere } = request;
	checkViews(request.stageOne);
	const work = openFinishWork(textureSize);
	try {
		return await finishWith(work, context, request);
	} finally {
		await work.close();
	}
}

async function finishWith(work: FinishWork, context: PartContext, request: FinishRequest): Promise<FinishedSurface> {
	const { device } = context;
	const { stageOne, gaussians, faceTexels = 1, normalMap = false, textureSize: size, simplify } = request;
	const asked = { ...finishDefaults, ...request.effort };
	const effort = gaussians === undefined ? { ...asked, renders: 0 } : asked;
	const { simplified, cameras, pictures, samplesOfViews, parts } = await runPart(
		context,
		{ name: "simplify", weights: [], graphs: [] },
		async () => {
			const faces = simplifiedFaceCount(simplify, request.mesh.faces.length / 3);
			const { mesh } = await simplifyMesh({ positions: request.mesh.positions, faces: request.mesh.faces }, faces);
			// What must be known of the rest before it begins, too.
			const cameras = visibilityViews(effort.visibilityViews);
			const pictures = bodyPictures(stageOne, effort.viewSize);
			const samplesOfViews = mostSamples(pictures, gaussians, effort);
			const parts = finishParts(device, { mesh, gaussians, samplesOfViews, textureSize: size, normalMap, effort, cameras });
			return { simplified: mesh, cameras, pictures, samplesOfViews, parts };
		},
	);
	await planStage(context, "finishing", parts);
	const [repairPart, unwrapPart, fitPart, normalsPart] = parts;

	const { mesh: repaired, report: repair } = await runPart(context, repairPart, (_, report) =>
		repairMesh(device, simplified, {
			...repairDefaults,
			cameras,
			size: effort.visibilitySize,
			onProgress(done, total) {
				stopIfAborted(context);
				report(done, total);
			},
		}),
	);
	// Pictures and what they see do not depend on the charts: the GPU draws them while other threads unwrap.
	const [unwrapped, { views, seen }] = await runPart(context, unwrapPart, (_, report) =>
		together(
			() =>
				work.unwrap(repaired, {
					textureSize: size,
					padding: effort.padding,
					...(faceTexels !== 1 && { focus: { ...headBall(repaired), share: faceTexels } }),
					signal: context.signal,
					report,
				}),
			async (isStopped) => {
				const views: BakeObservation[] = []; // where they are all there is
				const seen: Promise<SeenFaces>[] = [];
				for await (const view of textureViews(device, { pictures, gaussians, ...effort, maxMemory: context.maxMemory })) {
					stopIfAborted(context);
					if (isStopped()) break;
					if (gaussians === undefined) {
						views.push(view);
						continue;
					}
					const faces = work.seeFaces(repaired, view);
					faces.catch(() => undefined); // reported where the view is looked up
					seen.push(faces);
				}
				return { views, seen };
			},
		),
	);
	const ownColors = () => {
		const colors = bodyColors(repaired, stageOne);
		return Float32Array.from(unwrapped.positions, (_, i) => colors[unwrapped.sourceVertices[Math.floor(i / 3)] * 3 + (i % 3)]);
	};
	const texture = await runPart(context, fitPart, async (_, report) => {
		if (gaussians === undefined) {
			const progress = (done: number, total: number) => {
				stopIfAborted(context);
				report(done, total);
			};
			return viewTexture({ mesh: unwrapped, colors: ownColors(), views, size, work, report: progress });
		}
		// Other threads look the views up while the fit goes on with those that are there.
		const looked = new Map<number, Promise<TextureSamples>>();
		const lookUp = (view: number) => {
			const samples = looked.get(view) ?? seen[view].then((faces) => work.lookUp(unwrapped, faces));
			looked.set(view, samples);
			return samples;
		};
		// Departs from upstream: with fewer steps than upstream's black would not become a person; they begin with what the views show.
		const isShort = effort.fitSteps < bakeStepCount;
		const all = isShort ? await Promise.all(seen.map((_, view) => lookUp(view))) : [];
		const weights = seen.map((_, view) => viewWeights[view] ?? renderWeight);
		const { color } = await bakeSamples(device, {
			mesh: unwrapped,
			samples: { count: seen.length, capacity: Math.max(...samplesOfViews), of: lookUp },
			findGaps: work.findGaps,
			size,
			picker: new NumpyRandomState(request.seed),
			steps: effort.fitSteps,
			start: isShort ? startTexture(unwrapped, ownColors(), all, size, weights) : undefined,
			beforeStep(step) {
				stopIfAborted(context);
				if (step % reportedSteps === 0) report(step, effort.fitSteps);
			},
		});
		return color;
	});
	const { positions, faces, uvs, sourceVertices } = unwrapped;
	const smooth = vertexNormals(repaired);
	const normals = Float32Array.from({ length: positions.length }, (_, i) => smooth[sourceVertices[Math.floor(i / 3)] * 3 + (i % 3)]);
	const mesh = { positions, faces };
	const bakeNormalMap = async (): Promise<NormalMap> => {
		const tangents = vertexTangents(mesh, uvs, normals);
		const picture = bakeNormals({ mesh, uvs, normals, tangents, views: stageOne.normals, size });
		return { picture: imageOf(size, size, 3, picture), tangents };
	};
	const map = normalMap ? await runPart(context, normalsPart, bakeNormalMap) : undefined;
	return { mesh, texture: { picture: imageOf(size, size, 3, texture), uvs, normals, normalMap: map }, repair };
}

/** Two pieces of work side by side; where one fails the other is told, and waited for, before the error goes on. */
async function together<A, B>(first: () => Promise<A>, second: (isStopped: () => boolean) => Promise<B>): Promise<[A, B]> {
	let isStopped = false;
	const stop = () => {
		isStopped = true;
	};
	const [a, b] = [first(), second(() => isStopped)];
	a.catch(stop);
	await Promise.allSettled([a, b]);
	return Promise.all([a, b]);
}

/** How much a picture of the Gaussians counts beside the views in what a short fit begins with. */
const renderWeight = 0.1;

/** Steps of the fit between two reports. */
const reportedSteps = 20;

/** For every view the samples that it has at most. */
function mostSamples(pictures: readonly BodyPicture[], gaussians: GaussianCloud | undefined, effort: typeof finishDefaults): number[] {
	const counts = pictures.map(({ mask }) => mask.reduce((sum, value) => sum + value, 0));
	if (gaussians === undefined) return counts;
	const { renders, renderSize } = effort;
	return [...counts, ...mostCoveredPixels(gaussians, renderSize, bakeViews(renders).slice(pictures.length))];
}

/** The parts after the simplification, with the GPU memory that each holds at most. */
function finishParts(
	device: Device,
	facts: {
		readonly mesh: Mesh;
		readonly gaussians: GaussianCloud | undefined;
		readonly samplesOfViews: readonly number[];
		readonly textureSize: number;
		readonly normalMap: boolean;
		readonly effort: typeof finishDefaults;
		readonly cameras: readonly ClipCamera[];
	},
): readonly Part[] {
	const { mesh, gaussians, samplesOfViews, textureSize, normalMap, effort, cameras } = facts;
	const { renderSize } = effort;
	let renderBytes = 0;
	if (gaussians !== undefined) {
		const pairs = mostTilePairs(gaussians, renderSize, cameraRadius, fovIntrinsics(cameraFov).fx);
		renderBytes = gaussianRendererBytes(device, gaussians.count, pairs, { width: renderSize, height: renderSize });
	}
	const part = (name: string, extraBytes: number): Part => ({ name, weights: [], graphs: [], extraBytes });
	return [
		part("repair", visibilityBytes(device, mesh, { cameras, size: effort.visibilitySize })),
		part("unwrap, texture views", renderBytes),
		part("texture fit", gaussians === undefined ? 0 : textureFitBytes(device, textureSize, samplesOfViews)),
		...(normalMap ? [part("normal map", 0)] : []),
	];
}

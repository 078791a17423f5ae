import { defaults } from "../defaults.ts";
import type { Device } from "../gpu/device.ts";
import { imageOf } from "../image/image.ts";
import { bakeNormals } from "../mesh/bakeNormals.ts";
import { bakeStepCount } from "../mesh/bakeSchedule.ts";
import { bakeLookups, bakeSamples } from "../mesh/bakeTexture.ts";
import { visibilityBytes } from "../mesh/faceVisibility.ts";
import { textureFitBytes } from "../mesh/fitTexture.ts";
import { headBall } from "../mesh/headBall.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type RepairReport, repairDefaults, repairMesh } from "../mesh/repair.ts";
import { simplifiedFaceCount, simplifyMesh } from "../mesh/simplify.ts";
import { startTexture } from "../mesh/startTexture.ts";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../mesh/textureSamples.ts";
import { defaultPadding, type UnwrapFocus, type UnwrappedMesh, unwrapMesh } from "../mesh/unwrap.ts";
import { vertexNormals } from "../mesh/vertexNormals.ts";
import { vertexTangents } from "../mesh/vertexTangents.ts";
import { NumpyRandomState } from "../random/numpyRandomState.ts";
import { bakeViews, type ClipCamera, cameraFov, cameraRadius, fovIntrinsics, visibilityViews } from "../splat/cameras.ts";
import { mostCoveredPixels, mostTilePairs } from "../splat/gaussianBounds.ts";
import type { GaussianCloud } from "../splat/gaussianCloud.ts";
import { gaussianRendererBytes } from "../splat/renderGaussians.ts";
import { bodyColors } from "./bodyColors.ts";
import { type Part, type PartContext, planStage, runPart, type StepReport, stopIfAborted } from "./part.ts";
import type { MeshTexture, NormalMap, StageOneResult } from "./results.ts";
import { type BodyPicture, bodyPictures, textureViews } from "./textureViews.ts";

/** How a mesh is unwrapped; runners do it on threads of their own. */
export type Unwrap = (
	mesh: Mesh,
	request: {
		readonly textureSize: number;
		/** Free pixels around every chart. */
		readonly padding: number;
		/** Where the surface gets more texels. */
		readonly focus?: UnwrapFocus | undefined;
		readonly signal: AbortSignal | undefined;
		readonly report: StepReport;
	},
) => Promise<UnwrappedMesh>;

/** Finds where the pixels of views look a texture up; runners do it on threads of their own. */
export interface TextureLookups {
	/** The samples of a view of a mesh, always the same one; the view's arrays may be gone afterwards. */
	readonly of: (mesh: TexturedMesh, view: BakeObservation) => Promise<TextureSamples>;
	close(): Promise<void>;
}

/** Opens `TextureLookups` into a texture of `size` texels a side, before there is a mesh: threads take their time to start. */
export type OpenTextureLookups = (size: number) => TextureLookups;

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
	/** On this thread unless it is given. */
	readonly unwrap?: Unwrap | undefined;
	/** On this thread unless it is given. */
	readonly openLookups?: OpenTextureLookups | undefined;
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

/** Enough to see that everything works, on a CPU in seconds; textures come out coarse and dark. */
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
 * (reference/stage2/ARCHITECTURE.md sections 10, 11). Throws code "input" for a mesh that cannot be finished, "memory" before the GPU
 * holds more than it may, "aborted" within a step.
 */
export async function finishMesh(context: PartContext, request: FinishRequest): Promise<FinishedSurface> {
	const { device } = context;
	const {
		stageOne,
		gaussians,
		faceTexels = 1,
		normalMap = false,
		textureSize: size,
		simplify,
		unwrap = unwrapHere,
		openLookups = lookupsHere,
	} = request;
	const asked = { ...finishDefaults, ...request.effort };
	const effort = gaussians === undefined ? { ...asked, renders: 0 } : asked;
	const simplified = await runPart(context, { name: "simplify", weights: [], graphs: [] }, async () => {
		const faces = simplifiedFaceCount(simplify, request.mesh.faces.length / 3);
		return (await simplifyMesh({ positions: request.mesh.positions, faces: request.mesh.faces }, faces)).mesh;
	});
	const cameras = visibilityViews(effort.visibilityViews);
	const pictures = bodyPictures(stageOne, effort.viewSize);
	const parts = finishParts(device, { mesh: simplified, pictures, gaussians, textureSize: size, normalMap, effort, cameras });
	planStage(context, "finishing", parts);
	const [repairPart, unwrapPart, lookupsPart, fitPart, normalsPart] = parts;

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
	const lookups = openLookups(size);
	const { unwrapped, samples } = await closing(lookups, async () => {
		// The pictures do not depend on the charts: the GPU draws them while other threads unwrap.
		const [unwrapped, views] = await runPart(context, unwrapPart, (_, report) =>
			together(
				() =>
					unwrap(repaired, {
						textureSize: size,
						padding: effort.padding,
						...(faceTexels !== 1 && { focus: { ...headBall(repaired), share: faceTexels } }),
						signal: context.signal,
						report,
					}),
				async (isStopped) => {
					const drawn: BakeObservation[] = [];
					for await (const view of textureViews(device, { pictures, gaussians, ...effort, maxMemory: context.maxMemory })) {
						stopIfAborted(context);
						if (isStopped()) break;
						drawn.push(view);
					}
					return drawn;
				},
			),
		);
		const samples = await runPart(context, lookupsPart, async (_, report) => {
			let done = 0;
			return Promise.all(
				views.map(async (view) => {
					const found = await lookups.of(unwrapped, view);
					stopIfAborted(context);
					report(++done, views.length);
					return found;
				}),
			);
		});
		return { unwrapped, samples };
	});
	// Departs from upstream: without pictures from all around, what no view sees would stay black; it takes its neighbours' colours.
	const colorsOf = (mesh: Mesh) => {
		const colors = bodyColors(mesh, stageOne);
		return Float32Array.from(unwrapped.positions, (_, i) => colors[unwrapped.sourceVertices[Math.floor(i / 3)] * 3 + (i % 3)]);
	};
	const texture = await runPart(context, fitPart, (_, report) =>
		bakeSamples(device, {
			mesh: unwrapped,
			samples,
			size,
			picker: new NumpyRandomState(request.seed),
			steps: effort.fitSteps,
			start: gaussians === undefined ? startTexture(unwrapped, colorsOf(repaired), samples, size, startWeights) : undefined,
			beforeStep(step) {
				stopIfAborted(context);
				if (step % reportedSteps === 0) report(step, effort.fitSteps);
			},
		}),
	);
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
	return { mesh, texture: { picture: imageOf(size, size, 3, texture.color), uvs, normals, normalMap: map }, repair };
}

/** Does the work and closes what it works with, whatever comes. */
async function closing<T>(used: { close(): Promise<void> }, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} finally {
		await used.close();
	}
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

/** How much front, right, back, left and face count where views disagree: front and back most, as in the fit's last steps. */
const startWeights = [1, 0.5, 1, 0.5, 0.1];

/** Steps of the fit between two reports. */
const reportedSteps = 20;

/** The parts after the simplification, with the GPU memory that each holds at most. */
function finishParts(
	device: Device,
	facts: {
		readonly mesh: Mesh;
		readonly pictures: readonly BodyPicture[];
		readonly gaussians: GaussianCloud | undefined;
		readonly textureSize: number;
		readonly normalMap: boolean;
		readonly effort: typeof finishDefaults;
		readonly cameras: readonly ClipCamera[];
	},
): readonly Part[] {
	const { mesh, pictures, gaussians, textureSize, normalMap, effort, cameras } = facts;
	const { renders, renderSize } = effort;
	const counts = pictures.map(({ mask }) => mask.reduce((sum, value) => sum + value, 0));
	let renderBytes = 0;
	if (gaussians !== undefined) {
		counts.push(...mostCoveredPixels(gaussians, renderSize, bakeViews(renders).slice(pictures.length)));
		const pairs = mostTilePairs(gaussians, renderSize, cameraRadius, fovIntrinsics(cameraFov).fx);
		renderBytes = gaussianRendererBytes(device, gaussians.count, pairs, { width: renderSize, height: renderSize });
	}
	const part = (name: string, extraBytes: number): Part => ({ name, weights: [], graphs: [], extraBytes });
	return [
		part("repair", visibilityBytes(device, mesh, { cameras, size: effort.visibilitySize })),
		part("unwrap, texture views", renderBytes),
		part("texture lookups", 0),
		part("texture fit", textureFitBytes(device, textureSize, counts)),
		...(normalMap ? [part("normal map", 0)] : []),
	];
}

const lookupsHere: OpenTextureLookups = (size) => {
	let lookups: ReturnType<typeof bakeLookups> | undefined;
	let last: Promise<unknown> = Promise.resolve();
	const of = (mesh: TexturedMesh, view: BakeObservation) => {
		lookups ??= bakeLookups(mesh, size);
		const look = lookups;
		const found = last.then(() => look(view)); // one after the other, so that an error or a stop ends the rest
		last = found;
		return found;
	};
	return { of, close: async () => undefined };
};

const unwrapHere: Unwrap = (mesh, { textureSize, padding, focus, report }) =>
	unwrapMesh(mesh, { textureSize, padding, focus, onProgress: report });

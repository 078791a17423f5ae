import { SyncHumanError } from "../error.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RepairReport } from "../mesh/repair.ts";
import { bodyDepths, type FourViews } from "../reconstruct/bodyDepths.ts";
import { fillBodyField, meshOfField, recordBodyField } from "../reconstruct/bodyMesh.ts";
import { bodySilhouettes } from "../reconstruct/bodySilhouettes.ts";
import { refineMesh } from "../reconstruct/refineMesh.ts";
import { reliableViews } from "../reconstruct/reliableViews.ts";
import { addThinSheets } from "../reconstruct/thinSheets.ts";
import { bodyColors } from "./bodyColors.ts";
import { checkViews } from "./checkViews.ts";
import { type FinishOptions, finishMesh } from "./finish.ts";
import { type Part, type PartContext, planStage, runPart, stopIfAborted } from "./part.ts";
import type { MeshTexture, StageOneResult } from "./results.ts";

/** What a body is reconstructed from. */
export interface ReconstructionRequest {
	/** Five colour and five normal pictures, as stage 1 gives them: front, right, back, left, face; square, of one size. */
	readonly views: Pick<StageOneResult, "colors" | "normals">;
	/** Of the order of the views in the texture fit. */
	readonly seed: number;
	/** How the surface is finished; undefined leaves it as it is, with a colour per vertex. */
	readonly finish?: FinishOptions | undefined;
}

/** A reconstructed body. */
export interface Reconstruction {
	/** Box [-0.5, 0.5]^3, z up, facing -y. */
	readonly mesh: Mesh;
	readonly texture?: MeshTexture | undefined;
	readonly repair?: RepairReport | undefined;
	/** Cubes per axis of the grid that the surface was found on. */
	readonly resolution: number;
}

/** Cubes per axis at most and at least; between them half the pictures' pixels. */
const [mostCubes, fewestCubes] = [256, 32];
/** Pixels per side that depths are integrated at, at most. */
const mostDepthPixels = 384;
const refinementRounds = 6;

/** Less than `finishDefaults`: a field's surface hides little. */
const reconstructionEffort = Object.freeze({ visibilityViews: 200, visibilitySize: 1024 });
/** GPU bytes of FlexiCubes per cube of the grid and per cube of a layer, beyond the field's. */
const layerBytes = 1800;

/**
 * A body from five colour and five normal views alone, no network: depths of the four body views by integrating their normals inside the
 * visual hull of their silhouettes, the body between them by FlexiCubes, its vertices fitted to normals and rims, then finished as stage 2's
 * surface is, with the five views as the only observations. The same result for the same input on the same device. Throws code "input" for views that
 * are missing, not square, of different sizes or empty.
 */
export async function runReconstruction(context: PartContext, request: ReconstructionRequest): Promise<Reconstruction> {
	const { device } = context;
	const views = fourViews(request.views);
	const { size } = views[0];
	const resolution = Math.min(mostCubes, Math.max(fewestCubes, Math.round(size / 2)));
	const side = Math.min(size, mostDepthPixels);
	const distances = bodySilhouettes(views);
	const recorded = recordBodyField(device, size, side, resolution);
	const depthPart: Part = { name: "depths", weights: [], graphs: [] };
	const surfacePart: Part = {
		...{ name: "surface", weights: [], graphs: [recorded.graph] },
		extraBytes: resolution ** 2 * layerBytes + 3 * resolution ** 3,
	};
	const refinePart: Part = { name: "refinement", weights: [], graphs: [] };
	await planStage(context, "reconstruction", [depthPart, surfacePart, refinePart]);
	const { frontBack, leftRight } = await runPart(context, depthPart, async () => bodyDepths(views, distances, side));
	stopIfAborted(context);
	const { found, sheets } = await runPart(context, surfacePart, async ([executable]) => {
		const field = await fillBodyField(executable, recorded, distances, [frontBack, leftRight]);
		const sheets = addThinSheets(field, resolution + 1, distances, size);
		return { found: await meshOfField(device, field, resolution), sheets };
	});
	stopIfAborted(context);
	const mesh = await runPart(context, refinePart, async () => refineMesh(found, { views, distances, rounds: refinementRounds, sheets }));
	const { finish, seed } = request;
	const kept = reliableViews(views, distances);
	const normals = request.views.normals.map((image, view) => (view < kept.length ? { ...image, data: kept[view] } : image));
	const shown = { colors: request.views.colors, normals };
	if (finish !== undefined) {
		const effort = { ...reconstructionEffort, ...finish.effort };
		return { ...(await finishMesh(context, { ...finish, effort, mesh, stageOne: shown, seed })), resolution };
	}
	return { mesh: { ...mesh, colors: bodyColors(mesh, shown) }, resolution };
}

function fourViews(given: ReconstructionRequest["views"]): FourViews {
	checkViews(given);
	const { colors, normals } = given;
	const size = colors[0].width;
	for (const { channels } of [...colors, ...normals]) {
		if (channels !== 3) throw new SyncHumanError("input", `Views: all pictures must be RGB, got one of ${channels} channels.`);
	}
	const [front, right, back, left] = normals.map(({ data }) => ({ size, normal: data }));
	return [front, right, back, left];
}

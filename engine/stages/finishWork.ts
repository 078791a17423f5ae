import { SyncHumanError } from "../error.ts";
import { type FindGaps, findGapsHere, levelsOf } from "../mesh/bakeTexture.ts";
import type { Mesh } from "../mesh/mesh.ts";
import {
	type BakeObservation,
	type SeenFaces,
	samplesOfSeen,
	seenFaces,
	type TexturedMesh,
	type TextureSamples,
} from "../mesh/textureSamples.ts";
import { type UnwrapFocus, type UnwrappedMesh, unwrapMesh } from "../mesh/unwrap.ts";
import type { StepReport } from "./part.ts";

/** How a mesh is unwrapped. */
export interface UnwrapRequest {
	readonly textureSize: number;
	/** Free pixels around every chart. */
	readonly padding: number;
	/** Where the surface gets more texels. */
	readonly focus?: UnwrapFocus | undefined;
	readonly signal: AbortSignal | undefined;
	readonly report: StepReport;
}

/** The CPU's share of a surface's finishing; runners do it on threads of their own. */
export interface FinishWork {
	unwrap(mesh: Mesh, request: UnwrapRequest): Promise<UnwrappedMesh>;
	/** What a view sees of the mesh that is unwrapped, always the same one; the view's arrays may be gone afterwards. */
	seeFaces(mesh: Mesh, view: BakeObservation): Promise<SeenFaces>;
	/** The samples of a view from what it sees; the mesh is what `unwrap` made of that. */
	lookUp(mesh: TexturedMesh, seen: SeenFaces): Promise<TextureSamples>;
	/** The gaps between the charts of the unwrapped mesh. */
	readonly findGaps: FindGaps;
	close(): Promise<void>;
}

/** Opens the work on one surface and a texture of `textureSize` texels a side, before there is a mesh: threads take their time to start. */
export type OpenFinishWork = (textureSize: number) => FinishWork;

/** All of it on this thread. */
export const finishWorkHere: OpenFinishWork = (textureSize) => {
	let last: Promise<unknown> = Promise.resolve();
	let isClosed = false;
	/** One after the other, with turns for everything else in between. */
	const inTurn = <T>(work: () => T): Promise<T> => {
		const done = last.then(async () => {
			await new Promise((resolve) => setTimeout(resolve, 0));
			if (isClosed) throw new SyncHumanError("aborted", "The run was stopped.");
			return work();
		});
		last = done;
		return done;
	};
	return {
		unwrap: (mesh, { padding, focus, report }) => unwrapMesh(mesh, { textureSize, padding, focus, onProgress: report }),
		seeFaces: (mesh, view) => inTurn(() => seenFaces(mesh, view)),
		lookUp: (mesh, seen) => inTurn(() => samplesOfSeen(mesh, seen, textureSize, levelsOf(textureSize))),
		findGaps: findGapsHere,
		async close() {
			isClosed = true;
		},
	};
};

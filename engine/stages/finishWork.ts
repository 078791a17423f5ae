import { SyncHumanError } from "../error.ts";
import { bakeLookups, type FindGaps, findGapsHere } from "../mesh/bakeTexture.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../mesh/textureSamples.ts";
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
	/** The samples of a view of a mesh, always the same one; the view's arrays may be gone afterwards. */
	lookUp(mesh: TexturedMesh, view: BakeObservation): Promise<TextureSamples>;
	/** The gaps between the charts of the same mesh. */
	readonly findGaps: FindGaps;
	close(): Promise<void>;
}

/** Opens the work on one surface and a texture of `textureSize` texels a side, before there is a mesh: threads take their time to start. */
export type OpenFinishWork = (textureSize: number) => FinishWork;

/** All of it on this thread. */
export const finishWorkHere: OpenFinishWork = (textureSize) => {
	let lookups: ReturnType<typeof bakeLookups> | undefined;
	let last: Promise<unknown> = Promise.resolve();
	let isClosed = false;
	return {
		unwrap: (mesh, { padding, focus, report }) => unwrapMesh(mesh, { textureSize, padding, focus, onProgress: report }),
		lookUp(mesh, view) {
			lookups ??= bakeLookups(mesh, textureSize);
			const look = lookups;
			// One after the other, with turns for everything else in between.
			const found = last.then(async () => {
				await new Promise((resolve) => setTimeout(resolve, 0));
				if (isClosed) throw new SyncHumanError("aborted", "The run was stopped.");
				return look(view);
			});
			last = found;
			return found;
		},
		findGaps: findGapsHere,
		async close() {
			isClosed = true;
		},
	};
};

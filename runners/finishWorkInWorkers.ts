import { availableParallelism } from "node:os";
import { SyncHumanError } from "../engine/error.ts";
import type { TextureGaps } from "../engine/mesh/bakeTexture.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import { type TeleaWeights, teleaRanges } from "../engine/mesh/teleaFill.ts";
import { addOutside, type OutsideTimes, type TeleaFront } from "../engine/mesh/teleaFront.ts";
import { joinedPlanes, planesOf } from "../engine/mesh/teleaInpaint.ts";
import type { BakeObservation, SeenFaces, TexturedMesh, TextureSamples } from "../engine/mesh/textureSamples.ts";
import { unwrapMesh } from "../engine/mesh/unwrap.ts";
import type { FinishWork, UnwrapRequest } from "../engine/stages/finishWork.ts";
import type { FinishJob } from "./finishWorker.ts";
import { arraysInShared } from "./sharedArrays.ts";
import { openWorkerPool, workerModule } from "./workerPool.ts";

/** Pixels of gaps whose weights (about 100 bytes each) are worked out before there is a picture. */
const preparedPixels = 1 << 21;

/** Threads from which on one of them is idle before the work begins. */
const rehearsingThreads = 4;

/**
 * A finishing's work on other threads, which start at once: the same results as on this one, however many there are. Rejects as that does, and
 * the unwrapping with code "aborted" when stopped.
 */
export function finishWorkInWorkers(
	textureSize: number,
	{
		threads = Math.min(16, availableParallelism()),
		worker = workerModule("finishWorker"),
	}: { readonly threads?: number; readonly worker?: URL } = {},
): FinishWork {
	const pool = openWorkerPool(worker, threads, "finishing");
	pool.startAll();
	const run = <Result>(job: FinishJob, moved?: readonly ArrayBuffer[]) => pool.run<Result>(job, moved);
	if (threads >= rehearsingThreads) run({ rehearsal: true }).catch(() => undefined); // the job that meets the same problem tells
	/** What everything else waits for. */
	const runFirst = <Result>(job: FinishJob) => pool.run<Result>(job, [], true);
	let whole: Mesh | undefined;
	let shared: TexturedMesh | undefined;
	const inShared = ({ positions, faces, uvs }: TexturedMesh) => {
		shared ??= arraysInShared({ positions, faces, uvs });
		return shared;
	};
	return {
		async unwrap(mesh, { padding, focus, signal, report: onProgress }: UnwrapRequest) {
			const stopped = () => new SyncHumanError("aborted", "unwrap: stopped");
			if (signal?.aborted) throw stopped();
			const stop = () => pool.fail(stopped());
			signal?.addEventListener("abort", stop);
			try {
				return await unwrapMesh(mesh, {
					textureSize,
					padding,
					focus,
					onProgress,
					workers: { chartPart: (chart) => runFirst({ chart }), packCharts: (pack) => runFirst({ pack }) },
				});
			} finally {
				signal?.removeEventListener("abort", stop);
			}
		},
		seeFaces({ positions, faces }: Mesh, view: BakeObservation) {
			whole ??= arraysInShared({ positions, faces });
			const { buffer, byteLength } = view.color;
			const isOwn = view.mask === undefined && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
			return run<SeenFaces>({ see: { mesh: whole, view } }, isOwn ? [buffer] : []);
		},
		lookUp: (mesh: TexturedMesh, seen: SeenFaces) => run<TextureSamples>({ lookUp: { mesh: inShared(mesh), size: textureSize, seen } }),
		async findGaps(mesh: TexturedMesh, size: number): Promise<TextureGaps> {
			const job = { mesh: inShared(mesh), size };
			const [{ uncovered, front }, outside] = await Promise.all([
				runFirst<{ readonly uncovered: Uint8Array; readonly front: TeleaFront }>({ gaps: job }),
				runFirst<OutsideTimes>({ outside: job }),
			]);
			addOutside(front, outside);
			const ranges = teleaRanges(front).filter(({ first }) => first < preparedPixels);
			const weighing = Promise.all(ranges.map((range) => run<TeleaWeights>({ weights: { front, ...range } })));
			weighing.catch(() => undefined); // reported when a picture is filled
			return {
				uncovered,
				async fill(picture) {
					const weights = await weighing;
					const planes = planesOf(picture);
					return joinedPlanes(
						await Promise.all(planes.map((plane) => run<Uint8Array>({ fill: { front, weights, plane } }, [plane.buffer]))),
					);
				},
			};
		},
		close: pool.close,
	};
}

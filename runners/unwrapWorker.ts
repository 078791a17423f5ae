import { parentPort, workerData } from "node:worker_threads";
import { SyncHumanError } from "../engine/error.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import { type UnwrapOptions, unwrapMesh } from "../engine/mesh/unwrap.ts";
import type { UnwrapAnswer } from "./unwrapInWorker.ts";

// Unwraps one mesh beside the main thread: it and the options come as workerData, progress and the result go back as messages.

const { mesh, options } = workerData as { readonly mesh: Mesh; readonly options: Omit<UnwrapOptions, "onProgress"> };
const send = (answer: UnwrapAnswer, transfer: readonly ArrayBuffer[] = []) => parentPort?.postMessage(answer, transfer);

try {
	const unwrapped = await unwrapMesh(mesh, { ...options, onProgress: (part) => send({ part }) });
	const arrays = [unwrapped.positions, unwrapped.faces, unwrapped.uvs, unwrapped.sourceVertices, unwrapped.colors];
	send(
		{ unwrapped },
		arrays.flatMap((array) => (array === undefined ? [] : [array.buffer as ArrayBuffer])),
	);
} catch (error) {
	const { message } = error as Error;
	send({ problem: error instanceof SyncHumanError ? { message, code: error.code, hint: error.hint } : { message } });
}

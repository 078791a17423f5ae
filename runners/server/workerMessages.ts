import type { ErrorCode } from "../../engine/error.ts";
import type { GenerateArguments } from "../arguments.ts";
import type { RunEvent, WorkerReport } from "./worker.ts";

/** What the engine's process is opened with. */
export type EngineChoice = Pick<GenerateArguments, "weights" | "dtype" | "adapter" | "maxMemory">;

/** What the server tells the engine's process. */
export type WorkerOrder =
	| { readonly order: "start"; readonly choice: EngineChoice; readonly preload: boolean }
	| { readonly order: "run"; readonly options: GenerateArguments }
	| { readonly order: "abort" };

/** What the engine's process answers: events while it works, then one of the others. */
export type WorkerAnswer =
	| { readonly answer: "event"; readonly event: RunEvent }
	| { readonly answer: "ready"; readonly report: WorkerReport }
	| { readonly answer: "done" }
	| { readonly answer: "failed"; readonly code: ErrorCode | "internal"; readonly message: string; readonly hint: string | undefined };

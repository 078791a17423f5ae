import type { Device } from "../engine/gpu/device.ts";
import type { SessionOptions } from "../engine/session.ts";
import { chooseDevice } from "./chooseDevice.ts";
import type { OpenedWeights } from "./openWeights.ts";
import type { EngineChoice } from "./server/workerMessages.ts";

/** Opens GPUs, and engines on them, and closes them in the end. */
export class Opener {
	readonly #opened: { close(): void }[] = [];

	/** A GPU by name, see `chooseDevice`. */
	async device(adapter: string | undefined, allowSoftware: boolean): Promise<Device> {
		const device = await chooseDevice({ adapter, allowSoftware });
		this.#opened.push(device);
		return device;
	}

	/** The function that runs call for their engine: `open` makes it, on a GPU of its own. */
	engine<Weights, Opened extends { close(): void }>(
		open: (options: SessionOptions & { readonly weights: Weights }) => Opened | Promise<Opened>,
		allowSoftware: boolean,
	) {
		return async ({ adapter, dtype, maxMemory }: EngineChoice, weights: OpenedWeights<Weights>): Promise<Opened> => {
			const device = await this.device(adapter, allowSoftware);
			const engine = await open({
				device,
				weights: weights.checkpointFor(device),
				...(dtype !== undefined && { dtype }),
				...(maxMemory !== undefined && { maxMemory }),
			});
			this.#opened.push(engine);
			return engine;
		};
	}

	/** Closes what was opened last first. */
	close(): void {
		for (const one of this.#opened.splice(0).reverse()) one.close();
	}
}

/** `work`, with an opener that is closed when it ends. */
export async function opening<Result>(work: (opener: Opener) => Promise<Result>): Promise<Result> {
	const opener = new Opener();
	try {
		return await work(opener);
	} finally {
		opener.close();
	}
}

import type { TensorSource } from "../../weights/source.ts";
import { Weights } from "../../weights/weights.ts";
import type { DType } from "../gpu/tensor.ts";

/** A network of a checkpoint, declared: the reader that loads and frees its weights, and the model that graphs are recorded from. */
export interface Network<Model> {
	readonly weights: Weights;
	readonly model: Model;
}

/** Which network is wanted. */
export interface NetworkRequest<Model, Component extends string = string> {
	/** Where its weights come from. */
	readonly checkpoint: { readonly name: string; tensors(component: Component): Promise<TensorSource> };
	readonly dtype: DType;
	readonly component: Component;
	/** Only the tensors under these prefixes. */
	readonly within?: readonly string[];
	readonly declare: (weights: Weights) => Model;
}

/**
 * The networks of a checkpoint, each declared once for all stages and runs. Where they are `resident`, their weights stay on the GPU when
 * a part has run, and the next part or run that needs them finds them there; otherwise every part loads and frees its own ("staged").
 * Either gives the same bytes.
 */
export class Networks {
	/** Decided stage by stage (planStage), from what may be held. */
	resident = false;
	readonly #declared = new Map<string, Promise<Network<unknown>>>();
	readonly #weights: Weights[] = [];

	/** The network of this checkpoint, precision and part, declared and compared with its file at the first call. Throws code "checkpoint". */
	open<Model, Component extends string>(request: NetworkRequest<Model, Component>): Promise<Network<Model>> {
		const { checkpoint, dtype, component, within = [] } = request;
		const key = [checkpoint.name, dtype, component, ...within].join(" ");
		let network = this.#declared.get(key);
		if (network === undefined) {
			network = openNetwork(request).then((opened) => {
				this.#weights.push(opened.weights);
				return opened;
			});
			network.catch(() => this.#declared.delete(key));
			this.#declared.set(key, network);
		}
		return network as Promise<Network<Model>>;
	}

	/** Those whose weights are on the GPU. */
	get loaded(): readonly Weights[] {
		return this.#weights.filter((weights) => weights.loaded);
	}

	/** Frees all weights; they are loaded again where they are needed. */
	release(): void {
		for (const weights of this.loaded) weights.release();
	}
}

async function openNetwork<Model, Component extends string>({
	checkpoint,
	component,
	within,
	declare,
}: NetworkRequest<Model, Component>): Promise<Network<Model>> {
	const weights = Weights.open(await checkpoint.tensors(component), within && { within });
	const model = declare(weights);
	weights.finish();
	return { weights, model };
}

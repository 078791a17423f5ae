import { defaults } from "../engine/defaults.ts";
import { type FinishArguments, finishArguments } from "./finishArguments.ts";
import { byteSize, type OptionValues, textOf, usage, whole } from "./optionValues.ts";

/** What `synchuman reconstruct` was asked to do. */
export interface ReconstructArguments extends FinishArguments {
	/** Folder of the views. */
	readonly views: string;
	readonly output: string;
	readonly seed: number;
	readonly adapter: string | undefined;
	/** Bytes. */
	readonly maxMemory: number | undefined;
	readonly json: boolean;
}

/** Checks operands and options of `reconstruct`. Throws code "input". */
export function reconstructArguments({
	operands,
	values,
}: {
	readonly operands: readonly string[];
	readonly values: OptionValues;
}): ReconstructArguments {
	const [views, ...more] = operands;
	if (views === undefined) throw usage("VIEWS_DIR is missing");
	if (more.length > 0) throw usage(`One folder of views at a time, got ${operands.join(", ")}`);
	const output = textOf(values, "output");
	if (output === undefined) throw usage("-o DIR is missing");
	return {
		...finishArguments(values),
		views,
		output,
		seed: whole("seed", textOf(values, "seed"), defaults.seed, 0, 2 ** 32 - 1),
		adapter: textOf(values, "adapter"),
		maxMemory: byteSize("max-memory", textOf(values, "max-memory")),
		json: values.json === true,
	};
}

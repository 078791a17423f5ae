import { defaults } from "../engine/defaults.ts";
import { type OptionValues, textOf, usage } from "./optionValues.ts";

/** How `generate` and `reconstruct` finish and write a surface. */
export interface FinishArguments {
	/** Texels per side; 0: a colour per vertex. */
	readonly textureSize: number;
	/** Up to 1 a share of the faces, above it their number. */
	readonly simplify: number;
}

/** Those options for `parseArgs`. */
export const finishOptions = {
	"texture-size": { type: "string" },
	simplify: { type: "string" },
} as const;

const [smallestTexture, largestTexture] = defaults.textureSizes;

/** Lines of `synchuman --help`. */
export const finishHelp = `\
  --texture-size N         pixels of a fitted texture's side, ${smallestTexture} to ${largestTexture}, upstream's is 1024; 0 leaves the surface as it is,
                           with a colour per vertex (default ${defaults.textureSize})
  --simplify X             faces that stay under the texture: a share of them up to 1, or their number (default ${defaults.simplify})`;

/** Checks the options of finishing; `otherwise` is the texture's size where none is given. Throws code "input". */
export function finishArguments(values: OptionValues, otherwise: number = defaults.textureSize): FinishArguments {
	const textureSize = texels(textOf(values, "texture-size"), otherwise);
	if (textureSize === 0 && values.simplify !== undefined) throw usage("--simplify needs a texture: --texture-size must not be 0");
	return { textureSize, simplify: kept(textOf(values, "simplify"), defaults.simplify) };
}

/** Side of a texture: a power of two, so that every level of detail has half of the one before; or 0. */
function texels(given: string | undefined, otherwise: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	const isPower = Number.isInteger(Math.log2(value)) && value >= smallestTexture && value <= largestTexture;
	if (given.trim() === "" || !(value === 0 || isPower)) {
		throw usage(`--texture-size must be 0 or a power of two from ${smallestTexture} to ${largestTexture}, got ${given}`);
	}
	return value;
}

/** A share of the faces, or their number. */
function kept(given: string | undefined, otherwise: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	if (given.trim() === "" || !(value > 0) || !(value <= 1 || (Number.isInteger(value) && value >= 4 && value <= 1e9))) {
		throw usage(`--simplify must be a share of the faces above 0 and up to 1, or their number from 4, got ${given}`);
	}
	return value;
}

import { defaults } from "../engine/defaults.ts";
import { finishDefaults, sketchEffort } from "../engine/stages/finish.ts";
import { choice, type OptionValues, real, textOf, usage } from "./optionValues.ts";

/** Files that a surface can be written to beside the GLB. */
const otherFormats = ["obj", "ply"] as const;

/** How `generate` and `reconstruct` finish and write a surface. */
export interface FinishArguments {
	/** Texels per side; 0: a colour per vertex. */
	readonly textureSize: number;
	/** Up to 1 a share of the faces, above it their number. */
	readonly simplify: number;
	/** "sketch": fewer views, pictures and steps than upstream's, for CPUs. */
	readonly textureEffort: "full" | "sketch";
	/** Texels per area of the head as a multiple of those elsewhere. */
	readonly faceTexels: number;
	/** Whether the normal views become a normal map. */
	readonly normalMap: boolean;
	/** Of the pictures in the GLB. */
	readonly textureFormat: "png" | "webp";
	/** Whether the colours are shown as they are, without light. */
	readonly unlit: boolean;
	/** Metres from the lowest to the highest point; undefined leaves the networks' unit (a box of 1). */
	readonly height: number | undefined;
	/** KHR_mesh_quantization and EXT_meshopt_compression in the GLB. */
	readonly compress: boolean;
	readonly meshFormats: readonly (typeof otherFormats)[number][];
	/** Whether preview.png is written. */
	readonly preview: boolean;
}

/** Those options for `parseArgs`. */
export const finishOptions = {
	"texture-size": { type: "string" },
	"texture-effort": { type: "string" },
	simplify: { type: "string" },
	"face-texels": { type: "string" },
	"normal-map": { type: "boolean" },
	"texture-format": { type: "string" },
	unlit: { type: "boolean" },
	height: { type: "string" },
	compress: { type: "boolean" },
	"mesh-format": { type: "string" },
	"no-preview": { type: "boolean" },
} as const;

const [smallestTexture, largestTexture] = defaults.textureSizes;

/** Lines of `synchuman --help`. */
export const finishHelp = `\
  --texture-size N         pixels of a fitted texture's side, ${smallestTexture} to ${largestTexture}, 0 leaves the surface as it is, with a
                           colour per vertex (default ${defaults.textureSize}, as upstream)
  --texture-effort E       full: upstream's ${finishDefaults.renders} pictures of the Gaussians and ${finishDefaults.fitSteps} steps (default); sketch: ${sketchEffort.renders} and
                           ${sketchEffort.fitSteps}, coarse, for CPUs (default of the demo, with 512 pixels)
  --simplify X             faces that stay under the texture: a share of them up to 1, or their number (default ${defaults.simplify})
  --face-texels X          texels per area of the head as a multiple of those elsewhere, 1 to 16 (default ${defaults.faceTexels})
  --normal-map             the normal views as a normal map
  --texture-format F       pictures in the GLB: png (default) or webp (lossless)
  --unlit                  colours are shown as they are, without light (KHR_materials_unlit)
  --height METRES          of the figure in the files (default: the box of the networks is 1 high)
  --compress               quantised and compressed GLB (KHR_mesh_quantization, EXT_meshopt_compression)
  --mesh-format LIST       beside the GLB: obj (with .mtl and picture), ply (output_mesh.ply), or both: obj,ply
  --no-preview             no preview.png`;

/** Options that only a texture can have. */
const ofTexture = ["texture-effort", "simplify", "face-texels", "normal-map", "texture-format"] as const;

/** Checks the options of finishing; `otherwise` stands for what is not given. Throws code "input". */
export function finishArguments(
	values: OptionValues,
	otherwise: Partial<Pick<FinishArguments, "textureSize" | "textureEffort">> = {},
): FinishArguments {
	const textureSize = texels(textOf(values, "texture-size"), otherwise.textureSize ?? defaults.textureSize);
	const pointless = ofTexture.find((name) => textureSize === 0 && values[name] !== undefined);
	if (pointless !== undefined) throw usage(`--${pointless} needs a texture: --texture-size must not be 0`);
	if (values.unlit === true && values["normal-map"] === true) throw usage("--normal-map does nothing without light: leave out --unlit");
	const height = textOf(values, "height");
	const formats = textOf(values, "mesh-format")?.split(",") ?? [];
	return {
		textureSize,
		textureEffort: choice("--texture-effort", textOf(values, "texture-effort") ?? otherwise.textureEffort ?? "full", ["full", "sketch"]),
		simplify: kept(textOf(values, "simplify"), defaults.simplify),
		faceTexels: real("face-texels", textOf(values, "face-texels"), defaults.faceTexels, 1, 16),
		normalMap: values["normal-map"] === true,
		textureFormat: choice("--texture-format", textOf(values, "texture-format") ?? "png", ["png", "webp"]),
		unlit: values.unlit === true,
		height: height === undefined ? undefined : real("height", height, 0, 0.01, 1000),
		compress: values.compress === true,
		meshFormats: otherFormats.filter((format) =>
			formats.map((name) => choice("--mesh-format", name.trim(), ["glb", ...otherFormats])).includes(format),
		),
		preview: values["no-preview"] !== true,
	};
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

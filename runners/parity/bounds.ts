// How close is close enough: the table of goldens/README.md, by case and output.

/** What an output must satisfy. NMSE = sum (a - b)^2 / sum b^2 over the output, b the golden. */
export type Bound =
	| { readonly kind: "exact" }
	/** NMSE at most `nmse`, and every difference at most `absolute` where that is given. */
	| { readonly kind: "nmse"; readonly nmse: number; readonly absolute?: number }
	/** Every difference at most `absolute`. */
	| { readonly kind: "absolute"; readonly absolute: number }
	/** Every value within `ulps` units in the last place of the golden's value, in that format, or within `absolute`. */
	| { readonly kind: "ulp"; readonly format: "f16" | "f32"; readonly ulps: number; readonly absolute: number }
	/** NMSE at most `nmse`, and no larger a share than `share` of the values further than `level` off. */
	| { readonly kind: "picture"; readonly nmse: number; readonly level: number; readonly share: number }
	/** 10 log10(peak^2 / mean square error) at least `decibels`. */
	| { readonly kind: "psnr"; readonly decibels: number; readonly peak: number }
	/** The root of NMSE at most `relative`. */
	| { readonly kind: "relative"; readonly relative: number };

const exact: Bound = { kind: "exact" };

const blockCases =
	/^(resnet_block|(pshuman_)?mv_transformer_block(_cdmid)?|dual_cross_attention_.*|dit_block|sparse_(?!structure_decoder).*|decoder_block|slat_block)$/;
const exactCases = /^(pil_resize|preprocess|postprocess|image_loading|pshuman_preprocess|prompt_embeds|checkpoint_folder)$/;
const floatMeshCases = /^(flexicubes_.*|features_to_mesh)$/;

/** The bound of one output. `wholeNumbers`: the golden stores integers. */
export function boundOf(caseName: string, output: string, options: { dtype: "f16" | "f32"; full: boolean; wholeNumbers: boolean }): Bound {
	const { dtype, full, wholeNumbers } = options;
	if (caseName === "fill_holes") {
		// Counts within 1 % of the views for 99 % of the faces; all else follows from them exactly.
		return output === "visibility" ? { kind: "picture", nmse: Number.POSITIVE_INFINITY, level: 0.01 + 1e-6, share: 0.01 } : exact;
	}
	if (caseName === "bake_texture") {
		// 1,000 steps of Adam on an L1 loss: every sign of a difference near 0 is a coin, so that later textures differ by noise.
		if (output === "before_inpaint") return { kind: "psnr", decibels: 50, peak: 255 };
		if (Number(/^param_step_(\d+)$/.exec(output)?.[1] ?? 0) > 100) return { kind: "psnr", decibels: 50, peak: 1 };
	}
	// rembg's masks are cut off to whole numbers, where the last bit of a float decides about a level.
	if (/^u2net/.test(caseName) && /\.(mask320_u8|mask_u8|cutout_rgba)$/.test(output))
		return { kind: "absolute", absolute: dtype === "f32" ? 1 : 2 };
	if (wholeNumbers || exactCases.test(caseName)) return exact;
	if (output.startsWith("pixel_values.")) return { kind: "absolute", absolute: 5e-7 };
	if (caseName === "timesteps") {
		return /^(t_seq|trellis_t_)/.test(output) ? exact : { kind: "nmse", nmse: 1e-9, absolute: 1e-4 };
	}
	if (/^(t_seq|call_t$)/.test(output)) return exact;
	if (output.startsWith("timestep_embedding")) return { kind: "nmse", nmse: 1e-9, absolute: 1e-4 };
	if (caseName === "rng") return rngBound(output);
	if (full) return { kind: "relative", relative: 1e-2 };
	if (floatMeshCases.test(caseName) || (caseName === "slat_decoder_mesh_extract" && /^vert/.test(output))) {
		return { kind: "nmse", nmse: 1e-11 };
	}
	if (caseName === "cameras" || caseName === "gaussian_ply") return { kind: "nmse", nmse: 1e-11 };
	if (caseName === "gaussian_render") {
		// At most 0.1 % of the pixels; a pixel has three colours, of which one may be off alone.
		const share = output.startsWith("color_") ? 1e-3 / 3 : 1e-3;
		return /^(color|T)_/.test(output) ? { kind: "picture", nmse: 1e-6, level: 1 / 255, share } : { kind: "nmse", nmse: 1e-6 };
	}
	if (caseName === "texture_sampling" || caseName === "bake_texture") return { kind: "nmse", nmse: 1e-6 };
	if (caseName.startsWith("ddim")) return ddimBound(output);
	if (blockCases.test(caseName)) return { kind: "nmse", nmse: dtype === "f32" ? 1e-9 : 1e-5 };
	return { kind: "nmse", nmse: dtype === "f32" ? 1e-7 : 1e-3 };
}

function rngBound(output: string): Bound {
	if (output.includes(".rand_")) return exact;
	if (output.startsWith("cuda.fp16")) return { kind: "ulp", format: "f16", ulps: 1, absolute: 0 };
	return { kind: "ulp", format: "f32", ulps: 3, absolute: 0 };
}

function ddimBound(output: string): Bound {
	if (output.startsWith("x_f64") || /^alphas_cumprod_f64/.test(output)) return { kind: "nmse", nmse: 1e-24 };
	// The bounds' table has no line for the official float16 run; the host's rounds at the same places.
	if (output.startsWith("x_f16")) return exact;
	return { kind: "nmse", nmse: 1e-12 };
}

/** "NMSE <= 1e-9", for the report. */
export function describeBound(bound: Bound): string {
	switch (bound.kind) {
		case "exact":
			return "exact";
		case "nmse":
			return `NMSE <= ${bound.nmse}${bound.absolute === undefined ? "" : `, max <= ${bound.absolute.toExponential(1)}`}`;
		case "absolute":
			return `max <= ${bound.absolute}`;
		case "picture":
			return `${Number.isFinite(bound.nmse) ? `NMSE <= ${bound.nmse}, ` : ""}${(bound.share * 100).toPrecision(2)} % beyond ${bound.level.toPrecision(3)}`;
		case "psnr":
			return `PSNR >= ${bound.decibels} dB`;
		case "ulp":
			return `<= ${bound.ulps} ulp of ${bound.format}${bound.absolute === 0 ? "" : ` or ${bound.absolute.toExponential(1)}`}`;
		default:
			return `relative <= ${bound.relative}`;
	}
}

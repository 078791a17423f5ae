import { describe, expect, test } from "vitest";
import { boundOf, describeBound } from "../../../runners/parity/bounds.ts";

const f32 = { dtype: "f32", full: false, wholeNumbers: false } as const;
const f16 = { ...f32, dtype: "f16" } as const;
const full = { ...f16, full: true } as const;

describe("boundOf", () => {
	test.each([
		["dit_block", "output", f32, "NMSE <= 1e-9"],
		["dit_block", "output", f16, "NMSE <= 0.00001"],
		["sparse_structure_decoder", "blocks.0", f32, "NMSE <= 1e-7"],
		["sparse_conv3d", "conv3", f32, "NMSE <= 1e-9"],
		["sparse_conv3d", "neighbours", { ...f16, wholeNumbers: true }, "exact"],
		["unet_2d3d", "v_pred", f16, "NMSE <= 0.001"],
		["unet_2d3d", "v_pred", full, "relative <= 0.01"],
		["clip_vision", "pixel_values.image_a", f32, "max <= 5e-7"],
		["slat_decoder_mesh_extract", "feats", f32, "NMSE <= 1e-7"],
		["slat_decoder_mesh_extract", "vertices", f32, "NMSE <= 1e-11"],
		["flexicubes_torus", "colors", f16, "NMSE <= 1e-11"],
		["slat_sampler", "t_seq", f16, "exact"],
		["timesteps", "trellis_t_fp16_50", f32, "exact"],
		["timesteps", "trellis_freq_50", f32, "NMSE <= 1e-9, max <= 1.0e-4"],
		["sparse_ops", "timestep_embedding_256", f32, "NMSE <= 1e-9, max <= 1.0e-4"],
		["pil_resize", "crop_0", f32, "exact"],
		["fill_holes", "visibility", f32, "1.0 % beyond 0.0100"],
		["fill_holes", "out_vertices", f32, "exact"],
		["gaussian_ply", "attributes", f16, "NMSE <= 1e-11"],
		["cameras", "extrinsics", f32, "NMSE <= 1e-11"],
		["gaussian_render", "color_1", f32, "NMSE <= 0.000001, 0.033 % beyond 0.00392"],
		["gaussian_render", "conic_2", f16, "NMSE <= 0.000001"],
		["gaussian_render", "radius_2", { ...f32, wholeNumbers: true }, "exact"],
		["texture_sampling", "grad_tex", f16, "NMSE <= 0.000001"],
		["bake_texture", "param_step_100", f32, "NMSE <= 0.000001"],
		["bake_texture", "param_step_500", f32, "PSNR >= 50 dB"],
		["bake_texture", "before_inpaint", { ...f32, wholeNumbers: true }, "PSNR >= 50 dB"],
		["bake_texture", "texture", { ...f32, wholeNumbers: true }, "exact"],
		["rng", "cpu.randn_7.first64", f32, "<= 3 ulp of f32"],
		["rng", "cpu.rand_64.first64", f32, "exact"],
	] as const)("%s %s", (caseName, output, options, described) => {
		expect(describeBound(boundOf(caseName, output, options))).toBe(described);
	});
});

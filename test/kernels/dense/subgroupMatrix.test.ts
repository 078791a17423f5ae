import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type KernelVariant, variantCode, variantInterface } from "../../../engine/gpu/kernel.ts";
import { loadShader } from "../../../engine/gpu/shaderSource.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";

const shaders = fileURLToPath(new URL("../../../shaders/", import.meta.url));

/** Every shader that uses subgroup matrices, with each of its element types in f16 and f32. */
const variants: readonly KernelVariant[] = readdirSync(shaders, { recursive: true, encoding: "utf8" })
	.filter((name) => name.endsWith(".wgsl"))
	.sort()
	.flatMap((name) => {
		const shader = name.replaceAll("\\", "/").slice(0, -".wgsl".length);
		const code = loadShader(shader);
		if (!code.includes("subgroup_matrix_") || !code.includes("@compute")) return [];
		const elements = [...code.matchAll(/^alias (\w+) = f(?:16|32);/gm)].map(([, alias]) => alias);
		return ["f16", "f32"].map((type) => ({
			shader,
			aliases: Object.fromEntries(elements.map((alias) => [alias, type])),
		}));
	});

/**
 * Compiles on Dawn's null backend, which knows subgroup matrices without a GPU; in a process of its own, since Dawn's options hold for a
 * whole process. Prints a list of messages for every text.
 */
const compiler = `
import { readFileSync } from "node:fs";
import { create, globals } from "webgpu";
Object.assign(globalThis, globals);
const gpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
const adapter = await gpu.requestAdapter();
const wanted = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
const device = await adapter.requestDevice({ requiredFeatures: wanted });
globalThis.kept = [gpu, adapter, device];
const results = [];
for (const code of JSON.parse(readFileSync(0, "utf8"))) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const error = await device.popErrorScope();
  results.push([...[...messages].map(({ type, lineNum, message }) => type + " " + lineNum + ": " + message), ...(error ? [error.message] : [])]);
}
console.log(JSON.stringify(results));
process.exit(0);
`;

function compiled(codes: readonly string[]): readonly (readonly string[])[] {
	const output = execFileSync(process.execPath, ["--input-type=module", "--eval", compiler], {
		cwd: fileURLToPath(new URL("../../../", import.meta.url)),
		input: JSON.stringify(codes),
		encoding: "utf8",
		stdio: ["pipe", "pipe", "pipe"],
	});
	return JSON.parse(output);
}

describe("kernels on subgroup matrices", () => {
	const features = { f16: true, subgroups: true, subgroupMatrix: true };

	it("are accepted by the compiler in f16 and f32", () => {
		expect(variants.length).toBeGreaterThanOrEqual(4);
		const messages = compiled(variants.map((variant) => variantCode(variant, features)));
		expect(Object.fromEntries(variants.map((variant, i) => [`${variant.shader} ${JSON.stringify(variant.aliases)}`, messages[i]]))).toEqual(
			Object.fromEntries(variants.map((variant) => [`${variant.shader} ${JSON.stringify(variant.aliases)}`, []])),
		);
	});

	it("are refused where they are wrong: the check works", () => {
		const [variant] = variants;
		const [messages] = compiled([variantCode(variant, features).replace("subgroupMatrixMultiplyAccumulate(", "multiply(")]);
		expect(messages.join("\n")).toMatch(/multiply/);
	});

	it("declare the same bindings and Params as the portable kernels", () => {
		for (const [name, other] of [
			["dense/attentionSubgroupMatrix", "dense/attention"],
			["dense/matmulSubgroupMatrix", "dense/matmul"],
		]) {
			const [matrices, portable] = [variantInterface({ shader: name }), variantInterface({ shader: other })];
			const bindings = (of: typeof portable) => of.storage.map(({ name, binding, access }) => ({ name, binding, access }));
			expect(bindings(matrices)).toEqual(bindings(portable));
			expect(matrices.params).toEqual(portable.params);
		}
	});

	it("are chosen by shape and subgroup size", () => {
		const report = {
			adapter: "",
			vendor: "",
			architecture: "",
			driver: "",
			software: false,
			f16: true,
			subgroups: true,
			timestamps: true,
			limits: {
				maxBufferSize: 0,
				maxStorageBufferBindingSize: 0,
				maxComputeWorkgroupStorageSize: 0,
				maxComputeInvocationsPerWorkgroup: 0,
				maxStorageBuffersPerShaderStage: 0,
			},
		};
		const shapes = ["f16->f16 16x16x16", "f16->f32 16x16x16"];
		expect(hasSubgroupMatrices({ ...report, subgroupSizes: [32, 32], subgroupMatrixShapes: shapes })).toBe(true);
		expect(hasSubgroupMatrices({ ...report, subgroupSizes: [8, 32], subgroupMatrixShapes: shapes })).toBe(false);
		expect(hasSubgroupMatrices({ ...report, subgroupSizes: [32, 32], subgroupMatrixShapes: ["f32->f32 8x8x8"] })).toBe(false);
	});
});

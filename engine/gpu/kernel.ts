import { SyncHumanError } from "../error.ts";
import type { Device } from "./device.ts";
import { reflectShader, type ShaderInterface } from "./shaderInterface.ts";
import { loadShader } from "./shaderSource.ts";

/** A WGSL file with the names the host fills in: its `alias` lines and its `override` constants. */
export interface KernelVariant {
	/** Path under shaders/ without ".wgsl". */
	readonly shader: string;
	/** Rewrites `alias Name = ...;` lines, such as { Element: "f16" }. */
	readonly aliases?: Readonly<Record<string, string>>;
	readonly overrides?: Readonly<Record<string, number | boolean>>;
}

/** A kernel ready to be bound. */
export interface Kernel {
	readonly variant: KernelVariant;
	readonly interface: ShaderInterface;
	readonly pipeline: GPUComputePipeline;
	readonly layout: GPUBindGroupLayout;
}

/** A stable name of the variant: same key, same pipeline. */
export function variantKey(variant: KernelVariant): string {
	const sorted = (record: Readonly<Record<string, unknown>> | undefined) =>
		Object.entries(record ?? {})
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([name, value]) => `${name}=${value}`)
			.join(",");
	return `${variant.shader}<${sorted(variant.aliases)}>(${sorted(variant.overrides)})`;
}

/** The WGSL text that is compiled: `enable` lines of the device, then the file with its aliases rewritten. */
export function variantCode(variant: KernelVariant, features: { f16: boolean; subgroups: boolean; subgroupMatrix: boolean }): string {
	let code = loadShader(variant.shader);
	for (const [name, type] of Object.entries(variant.aliases ?? {})) {
		const line = new RegExp(`^alias ${name}\\s*=[^;]*;`, "m");
		if (!line.test(code)) throw new Error(`shader ${variant.shader}: has no line "alias ${name} = ...;"`);
		code = code.replace(line, `alias ${name} = ${type};`);
	}
	const enables: string[] = [];
	if (features.f16) enables.push("enable f16;");
	if (features.subgroups && /\bsubgroup[A-Z_]/.test(code)) enables.push("enable subgroups;");
	if (features.subgroupMatrix && /\bsubgroup_matrix_/.test(code)) {
		enables.push("enable chromium_experimental_subgroup_matrix;", "diagnostic(off, chromium.subgroup_matrix_uniformity);");
	}
	return `${enables.join("\n")}\n${code}`;
}

const interfaces = new Map<string, ShaderInterface>();

/** Bindings and Params of a variant, read from its text without a device. */
export function variantInterface(variant: KernelVariant): ShaderInterface {
	const key = `${variant.shader}<${JSON.stringify(variant.aliases ?? {})}>`;
	let found = interfaces.get(key);
	if (found === undefined) {
		found = reflectShader(variant.shader, variantCode(variant, { f16: false, subgroups: false, subgroupMatrix: false }));
		interfaces.set(key, found);
	}
	return found;
}

const pipelines = new WeakMap<Device, Map<string, Promise<Kernel>>>();

/** Whether somebody has asked for the variant on this device. */
export function isRequested(device: Device, variant: KernelVariant): boolean {
	return pipelines.get(device)?.has(variantKey(variant)) === true;
}

/**
 * Compiles a variant once per device, at the first request after `before`, whose errors count for nothing. A WGSL or pipeline error names the
 * kernel and quotes the compiler.
 */
export function compileKernel(device: Device, variant: KernelVariant, before?: () => Promise<unknown>): Promise<Kernel> {
	let ofDevice = pipelines.get(device);
	if (ofDevice === undefined) {
		ofDevice = new Map();
		pipelines.set(device, ofDevice);
	}
	const key = variantKey(variant);
	let kernel = ofDevice.get(key);
	if (kernel === undefined) {
		const made = () => compile(device, variant);
		kernel = before === undefined ? made() : before().then(made, made);
		ofDevice.set(key, kernel);
	}
	return kernel;
}

async function compile(device: Device, variant: KernelVariant): Promise<Kernel> {
	const { report } = device;
	const code = variantCode(variant, {
		f16: report.f16,
		subgroups: report.subgroups,
		subgroupMatrix: report.subgroupMatrixShapes.length > 0,
	});
	const shaderInterface = variantInterface(variant);
	const name = variantKey(variant);
	const entries: GPUBindGroupLayoutEntry[] = shaderInterface.storage.map((binding) => ({
		binding: binding.binding,
		visibility: 4 /* GPUShaderStage.COMPUTE */,
		buffer: { type: binding.access === "read" ? "read-only-storage" : "storage" },
	}));
	if (shaderInterface.params) entries.push({ binding: shaderInterface.params.binding, visibility: 4, buffer: { type: "uniform" } });
	const constants: Record<string, number> = {};
	for (const [key, value] of Object.entries(variant.overrides ?? {})) constants[key] = Number(value);
	const { gpu } = device;
	const layout = gpu.createBindGroupLayout({ label: name, entries });
	gpu.pushErrorScope("validation");
	const module = gpu.createShaderModule({ label: name, code });
	const scope = gpu.popErrorScope();
	// Without waiting for the messages: Dawn compiles on other threads while this one may be busy for long.
	const made = gpu.createComputePipelineAsync({
		label: name,
		layout: gpu.createPipelineLayout({ label: name, bindGroupLayouts: [layout] }),
		compute: { module, constants },
	});
	made.catch(() => undefined);
	const messages = (await module.getCompilationInfo()).messages.filter((message) => message.type === "error");
	if (messages.length > 0 || (await scope) !== null) {
		const lines = code.split("\n");
		const quoted = messages.slice(0, 3).map((m) => `  ${m.lineNum}:${m.linePos} ${m.message}\n    ${lines[m.lineNum - 1] ?? ""}`);
		throw new SyncHumanError("device", `kernel ${name}: the shader does not compile\n${quoted.join("\n") || (await scope)?.message}`);
	}
	try {
		return { variant, interface: shaderInterface, pipeline: await made, layout };
	} catch (cause) {
		throw new SyncHumanError("device", `kernel ${name}: ${(cause as Error).message}`, undefined, { cause });
	}
}

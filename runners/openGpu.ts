import { SyncHumanError } from "../engine/error.ts";

/** How to ask Dawn for its GPU object. */
export interface OpenGpuOptions {
	/** Part of an adapter's name, such as "llvmpipe" or "H200"; where absent the fastest adapter is taken. */
	readonly adapterName?: string;
	/** Leaves out Dawn's checks of shader accesses and calls: for measured runs only, never for tests. */
	readonly unchecked?: boolean;
}

// The object of create() must stay reachable for as long as the process lives: when V8 collects it, promises hang or the process
// dies (docs/design.md, "Dawn"). Symbol.for is one symbol for every copy of this module that a bundle or a test runner loads.
const kept = Symbol.for("synchuman.gpu");
type Kept = { [kept]?: Map<string, GPU> };

/**
 * The WebGPU entry point of this runtime: Dawn through the `webgpu` package under Node and Deno, the built-in one under a Deno that
 * may not load native code. The same options give the same object. Rejects with code "device" where no WebGPU can be loaded at all; that there is no
 * adapter shows itself later, in `requestAdapter`.
 */
export async function openGpu(options: OpenGpuOptions = {}): Promise<GPU> {
	const global = globalThis as Kept;
	global[kept] ??= new Map();
	const dawnOptions = dawnOptionsOf(options);
	const key = dawnOptions.join(" ");
	let gpu = global[kept].get(key);
	if (gpu === undefined) {
		gpu = await load(dawnOptions);
		global[kept].set(key, gpu);
	}
	return gpu;
}

async function load(dawnOptions: readonly string[]): Promise<GPU> {
	try {
		const { create, globals } = await import("webgpu");
		Object.assign(globalThis, globals);
		return create([...dawnOptions]);
	} catch (error) {
		// The one place that asks which runtime this is. Node 20 has no navigator; browsers and Deno have navigator.gpu.
		const builtIn = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
		if (builtIn !== undefined) return builtIn;
		throw new SyncHumanError(
			"device",
			`WebGPU cannot be loaded: ${(error as Error).message}`,
			"Install the package webgpu again (npm install webgpu --force); it has builds for Linux x64 and arm64 (glibc), macOS and Windows.",
			{ cause: error },
		);
	}
}

function dawnOptionsOf(options: OpenGpuOptions): readonly string[] {
	const enabled = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia"];
	const disabled = ["timestamp_quantization"];
	if (options.unchecked) {
		enabled.push("skip_validation", "disable_robustness", "disable_workgroup_init", "disable_polyfills_on_integer_div_and_mod");
	}
	return [
		`enable-dawn-features=${enabled.join(",")}`,
		`disable-dawn-features=${disabled.join(",")}`,
		...(options.adapterName === undefined ? [] : [`adapter=${options.adapterName}`]),
	];
}

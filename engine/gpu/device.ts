import { SyncHumanError } from "../error.ts";

/** What a device can do, for reports, run.json and the choice between kernels. */
export interface DeviceReport {
	readonly adapter: string;
	readonly vendor: string;
	readonly architecture: string;
	readonly driver: string;
	/** True for a CPU implementation of Vulkan (llvmpipe, SwiftShader). */
	readonly software: boolean;
	readonly f16: boolean;
	readonly subgroups: boolean;
	readonly subgroupSizes: readonly [min: number, max: number];
	/** "f16->f32 16x16x16" and the like; empty without subgroup matrices. */
	readonly subgroupMatrixShapes: readonly string[];
	readonly timestamps: boolean;
	readonly limits: {
		/** Bytes of the largest buffer. */
		readonly maxBufferSize: number;
		/** Bytes of the largest window of a buffer that one binding can show to a kernel. */
		readonly maxStorageBufferBindingSize: number;
		readonly maxComputeWorkgroupStorageSize: number;
		readonly maxComputeInvocationsPerWorkgroup: number;
		readonly maxStorageBuffersPerShaderStage: number;
	};
}

/** Choices at opening. */
export interface DeviceOptions {
	/** Permits a CPU adapter: correct, thousands of times slower, meant for tests and the demo. */
	readonly allowSoftware?: boolean;
	/** Uses no f16 even where the adapter has it. */
	readonly disableF16?: boolean;
	/** Uses no subgroup matrices even where the adapter has them. */
	readonly disableSubgroupMatrix?: boolean;
	/** Pretends bindings are at most this many bytes, to test windows. */
	readonly maxBindingBytes?: number;
	/** Devices that may be opened beside it while the driver compiles (compileAhead.ts); default none. */
	readonly helpers?: number;
}

/** Further devices on an adapter. */
export interface HelperDevices {
	/** How many may be open at a time. */
	readonly count: number;
	/** Opens one; whoever opened it closes it, and the device that it helps does where that is closed before. */
	open(): Promise<Device>;
}

/** Bytes held in buffers now and at most since the device was opened; counted at creation and destruction, and the buffer of readbacks while it is used. */
export interface MemoryCounter {
	currentBytes: number;
	peakBytes: number;
}

/** An opened device. Everything that allocates, compiles or submits goes through it. */
export interface Device {
	readonly gpu: GPUDevice;
	readonly report: DeviceReport;
	readonly memory: MemoryCounter;
	readonly helpers: HelperDevices | undefined;
	/** Creates a buffer, counted in `memory` until `destroyBuffer`. */
	createBuffer(label: string, byteLength: number, usage: number): GPUBuffer;
	destroyBuffer(buffer: GPUBuffer): void;
	/**
	 * Runs `work` between error scopes: a validation error, an allocation failure or a lost device rejects with a SyncHumanError
	 * that names `what`.
	 */
	guarded<T>(what: string, work: () => T | Promise<T>): Promise<T>;
	/** Rejects once the device is lost; otherwise resolves when the queue is empty. */
	idle(): Promise<void>;
	close(): void;
}

const kept: unknown[] = [];

/**
 * Opens the GPU that `gpu` (the object of Dawn's `create()`, or a browser's `navigator.gpu`) prefers.
 * Throws code "device" where there is none, or only a software adapter and `allowSoftware` is not set.
 */
export async function openDevice(gpu: GPU, options: DeviceOptions = {}): Promise<Device> {
	const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
	if (adapter === null) {
		throw new SyncHumanError(
			"device",
			"No WebGPU adapter was found.",
			"NVIDIA: install the driver's Vulkan part and libvulkan1 (in containers NVIDIA_DRIVER_CAPABILITIES=all). AMD and Intel: mesa-vulkan-drivers. " +
				"Without a GPU, for tests only: Mesa >= 24 (Debian 12: from bookworm-backports). Check with `vulkaninfo --summary`.",
		);
	}
	const software =
		adapter.info.isFallbackAdapter === true ||
		/llvmpipe|swiftshader|software/i.test(`${adapter.info.device} ${adapter.info.description} ${adapter.info.architecture}`);
	if (software && options.allowSoftware !== true) {
		throw new SyncHumanError(
			"device",
			`The only adapter is a software one (${adapter.info.device || adapter.info.description}), which is thousands of times slower than a GPU.`,
			"Install your GPU's Vulkan driver, or pass --adapter software to use the CPU on purpose.",
		);
	}
	const wanted = [
		"subgroups",
		"timestamp-query",
		...(options.disableF16 ? [] : ["shader-f16"]),
		...(options.disableSubgroupMatrix ? [] : ["chromium-experimental-subgroup-matrix"]),
	];
	const features = wanted.filter((feature) => adapter.features.has(feature));
	const requiredLimits: Record<string, number> = {};
	for (const limit of [
		"maxBufferSize",
		"maxStorageBufferBindingSize",
		"maxComputeWorkgroupStorageSize",
		"maxComputeInvocationsPerWorkgroup",
		"maxComputeWorkgroupSizeX",
		"maxStorageBuffersPerShaderStage",
	] as const) {
		requiredLimits[limit] = adapter.limits[limit];
	}
	const gpuDevice = await adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[], requiredLimits });
	// Dawn frees its instance under a pending promise when these are collected (docs/design.md, "Dawn").
	kept.push(gpu, adapter, gpuDevice);
	const { helpers = 0, ...usual } = options;
	return wrap(
		gpuDevice,
		reportOf(adapter, gpuDevice, software, options),
		helpers === 0 ? undefined : { count: helpers, open: () => openDevice(gpu, usual) },
	);
}

function reportOf(adapter: GPUAdapter, device: GPUDevice, software: boolean, options: DeviceOptions): DeviceReport {
	const info = adapter.info as GPUAdapterInfo & {
		subgroupMatrixConfigs?: readonly { componentType: string; resultComponentType: string; M: number; N: number; K: number }[];
	};
	const limits = device.limits;
	return {
		adapter: info.device || info.description || "unknown adapter",
		vendor: info.vendor,
		architecture: info.architecture,
		driver: info.description,
		software,
		f16: device.features.has("shader-f16"),
		subgroups: device.features.has("subgroups"),
		subgroupSizes: [info.subgroupMinSize ?? 0, info.subgroupMaxSize ?? 0],
		subgroupMatrixShapes: device.features.has("chromium-experimental-subgroup-matrix" as GPUFeatureName)
			? (info.subgroupMatrixConfigs ?? []).map((c) => `${c.componentType}->${c.resultComponentType} ${c.M}x${c.N}x${c.K}`)
			: [],
		timestamps: device.features.has("timestamp-query"),
		limits: {
			maxBufferSize: limits.maxBufferSize,
			maxStorageBufferBindingSize: Math.min(limits.maxStorageBufferBindingSize, options.maxBindingBytes ?? Number.POSITIVE_INFINITY),
			maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
			maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
			maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
		},
	};
}

function wrap(gpu: GPUDevice, report: DeviceReport, helpers: HelperDevices | undefined): Device {
	const helping = new Set<Device>();
	const memory: MemoryCounter = { currentBytes: 0, peakBytes: 0 };
	const sizes = new Map<GPUBuffer, number>();
	let lost: SyncHumanError | undefined;
	/** What rejects the work that is waited for. A race against `gpu.lost` would keep every result for as long as the device lives. */
	const waiting = new Set<(error: SyncHumanError) => void>();
	gpu.lost.then((info) => {
		lost = new SyncHumanError(
			"device",
			`The GPU device was lost (${info.reason}): ${info.message}`,
			"Close other GPU programs or use --max-memory, then run again; finished stages are kept.",
		);
		for (const reject of waiting) reject(lost);
	});
	const stopIfLost = () => {
		if (lost !== undefined) throw lost;
	};
	const untilLost = async <T>(work: Promise<T>): Promise<T> => {
		const result = await new Promise<T>((resolve, reject) => {
			waiting.add(reject);
			work.then(resolve, reject).finally(() => waiting.delete(reject));
		});
		stopIfLost();
		return result;
	};
	return {
		gpu,
		report,
		memory,
		helpers: helpers && {
			...helpers,
			async open() {
				const helper = await helpers.open();
				helping.add(helper);
				const close = () => {
					helping.delete(helper);
					helper.close();
				};
				return { ...helper, close };
			},
		},
		createBuffer(label, byteLength, usage) {
			stopIfLost();
			if (byteLength > report.limits.maxBufferSize) {
				throw new SyncHumanError(
					"memory",
					`${label}: a buffer of ${byteLength} bytes is more than this adapter allows (${report.limits.maxBufferSize}).`,
				);
			}
			const buffer = gpu.createBuffer({ label, size: byteLength, usage });
			sizes.set(buffer, byteLength);
			memory.currentBytes += byteLength;
			memory.peakBytes = Math.max(memory.peakBytes, memory.currentBytes);
			return buffer;
		},
		destroyBuffer(buffer) {
			memory.currentBytes -= sizes.get(buffer) ?? 0;
			sizes.delete(buffer);
			buffer.destroy();
		},
		async guarded(what, work) {
			stopIfLost();
			gpu.pushErrorScope("validation");
			gpu.pushErrorScope("out-of-memory");
			gpu.pushErrorScope("internal");
			// The scopes cover the synchronous part of `work` only: they are a stack of the whole device, and other work may run meanwhile.
			let running: ReturnType<typeof work>;
			let scopes: Promise<(GPUError | null)[]>;
			try {
				running = work();
			} finally {
				scopes = Promise.all([gpu.popErrorScope(), gpu.popErrorScope(), gpu.popErrorScope()]);
				scopes.catch(() => undefined);
			}
			const [internal, memoryError, validation] = await untilLost(scopes);
			if (memoryError) {
				throw new SyncHumanError(
					"memory",
					`${what}: the GPU is out of memory: ${memoryError.message}`,
					"Close other GPU programs, or set a lower --max-memory.",
				);
			}
			const error = validation ?? internal;
			if (error) throw new SyncHumanError("device", `${what}: ${error.message}`);
			return untilLost(Promise.resolve(running));
		},
		async idle() {
			await untilLost(gpu.queue.onSubmittedWorkDone());
		},
		close() {
			for (const helper of helping) helper.close();
			gpu.destroy();
		},
	};
}

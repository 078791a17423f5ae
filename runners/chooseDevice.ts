import { availableParallelism } from "node:os";
import { SyncHumanError } from "../engine/error.ts";
import { type Device, type DeviceOptions, openDevice } from "../engine/gpu/device.ts";
import { openGpu } from "./openGpu.ts";

/** Parts of the names of CPU adapters: Mesa's, Google's, Microsoft's. */
const softwareNames = ["llvmpipe", "SwiftShader", "Microsoft Basic Render"] as const;

/** Which adapter is wanted. */
export interface DeviceChoice {
	/** Part of an adapter's name; "software" is the CPU, whichever there is. Where absent the fastest one is taken. */
	readonly adapter?: string | undefined;
	/** Permits a CPU adapter where there is no other. */
	readonly allowSoftware?: boolean;
	/** Leaves out the kernels on subgroup matrices. */
	readonly disableSubgroupMatrix?: boolean;
}

/** Devices beside the one that is used, while the driver compiles: with it one for every two cores, as Dawn compiles on two threads each. */
const helpers = Math.min(Math.max(Math.floor(availableParallelism() / 2) - 1, 0), 7);

/** Opens the GPU that the command line asks for. Throws code "device" where there is none of that name, or only the CPU unasked. */
export async function chooseDevice({ adapter, allowSoftware = false, disableSubgroupMatrix = false }: DeviceChoice): Promise<Device> {
	if (adapter === undefined) return openDevice(await openGpu(), { allowSoftware, disableSubgroupMatrix, helpers });
	if (adapter !== "software") {
		const software = allowSoftware || softwareNames.some((name) => sameName(name, adapter));
		return named(adapter, { allowSoftware: software, disableSubgroupMatrix, helpers });
	}
	let noAdapter: unknown;
	for (const name of softwareNames) {
		try {
			return await named(name, { allowSoftware: true });
		} catch (error) {
			noAdapter = error;
		}
	}
	throw noAdapter;
}

async function named(name: string, options: DeviceOptions): Promise<Device> {
	const gpu = await openGpu({ adapterName: name });
	try {
		return await openDevice(gpu, options);
	} catch (error) {
		if (error instanceof SyncHumanError) throw error;
		const found = namesIn(error).join(", ");
		throw new SyncHumanError(
			"device",
			`No adapter's name contains "${name}"${found === "" ? "" : `; there is ${found}`}.`,
			"See synchuman info.",
			{
				cause: error,
			},
		);
	}
}

/** Names of all adapters, in Dawn's order. Empty where there are none, and under a WebGPU that does not tell. */
export async function adapterNames(): Promise<readonly string[]> {
	try {
		// Dawn names the others where none has the name.
		await (await openGpu({ adapterName: "?" })).requestAdapter();
		return [];
	} catch (error) {
		return [...new Set(namesIn(error))];
	}
}

/** Whether two names mean one adapter: WebGPU's has only small letters and dashes ("nvidia-h200"), the driver's is "NVIDIA H200". */
export function sameAdapter(a: string, b: string): boolean {
	const plain = (name: string) =>
		name
			.toLowerCase()
			.replace(/[^a-z0-9]+/g, "-")
			.replace(/^-|-$/g, "");
	return plain(a) === plain(b);
}

/** The adapters that Dawn lists in its complaint that none has the name. */
function namesIn(error: unknown): readonly string[] {
	return [...String(error).matchAll(/name: '([^']*)'/g)].map(([, name]) => name);
}

function sameName(a: string, b: string): boolean {
	return a.toLowerCase() === b.toLowerCase();
}

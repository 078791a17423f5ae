import { type Device, openDevice } from "../../engine/gpu/device.ts";
import { openGpu } from "../../runners/openGpu.ts";

let opened: Promise<Device> | undefined;

/** The one device of this test file (vitest gives every file a process of its own); software adapters are welcome. */
export function testDevice(): Promise<Device> {
	opened ??= openGpu().then((gpu) => openDevice(gpu, { allowSoftware: true }));
	return opened;
}

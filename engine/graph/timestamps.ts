import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";

/** Two timestamps a pass, at most 4,096 in a query set. */
const passesPerSet = 2048;

/**
 * Submits `count` compute passes, one after the other, and gives the GPU milliseconds of each. Everything is submitted at once, before the result is
 * waited for: what is submitted after the call follows without a gap. Throws code "device" where the device has no timestamps.
 */
export async function timedPasses(
	device: Device,
	count: number,
	encode: (pass: GPUComputePassEncoder, index: number) => void,
): Promise<readonly number[]> {
	if (!device.report.timestamps) throw new SyncHumanError("device", "profile: this adapter has no timestamp queries");
	const { gpu } = device;
	const starts = Array.from({ length: Math.ceil(count / passesPerSet) }, (_, set) => set * passesPerSet);
	const sets = starts.map((start) => {
		const passes = Math.min(passesPerSet, count - start);
		const querySet = gpu.createQuerySet({ type: "timestamp", count: passes * 2 });
		const resolved = device.createBuffer("timestamps", passes * 16, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
		const readable = device.createBuffer("timestamps read", passes * 16, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
		const encoder = gpu.createCommandEncoder();
		for (let index = 0; index < passes; index++) {
			const pass = encoder.beginComputePass({
				timestampWrites: { querySet, beginningOfPassWriteIndex: index * 2, endOfPassWriteIndex: index * 2 + 1 },
			});
			encode(pass, start + index);
			pass.end();
		}
		encoder.resolveQuerySet(querySet, 0, passes * 2, resolved, 0);
		encoder.copyBufferToBuffer(resolved, 0, readable, 0, passes * 16);
		gpu.queue.submit([encoder.finish()]);
		return { querySet, resolved, readable, passes };
	});
	const times: number[] = [];
	try {
		for (const { readable, passes } of sets) {
			await readable.mapAsync(GPUMapMode.READ);
			const stamps = new BigUint64Array(readable.getMappedRange().slice(0));
			for (let index = 0; index < passes; index++) times.push(Number(stamps[index * 2 + 1] - stamps[index * 2]) / 1e6);
		}
	} finally {
		for (const { querySet, resolved, readable } of sets) {
			device.destroyBuffer(resolved);
			device.destroyBuffer(readable);
			querySet.destroy();
		}
	}
	return times;
}

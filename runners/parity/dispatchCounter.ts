/** Counts the kernel calls of this process, whoever makes them. Call once, after WebGPU was loaded. */
export function countDispatches(): { readonly count: number } {
	const counter = { count: 0 };
	const prototype = GPUComputePassEncoder.prototype;
	for (const name of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"] as const) {
		const original = prototype[name] as (...parameters: unknown[]) => undefined;
		Object.defineProperty(prototype, name, {
			configurable: true,
			writable: true,
			value(this: GPUComputePassEncoder, ...parameters: unknown[]) {
				counter.count++;
				return original.apply(this, parameters);
			},
		});
	}
	return counter;
}

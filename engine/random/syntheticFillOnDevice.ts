import type { Device } from "../gpu/device.ts";
import { elementCount, type Tensor } from "../gpu/tensor.ts";
import { compileGraph } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { syntheticFill } from "../kernels/dense/syntheticFill.ts";

/** Below this many elements the CPU has made a tensor before the GPU is asked. */
const fewestElements = 1 << 16;

/**
 * What `weights/syntheticSource.ts` takes as `fillOnDevice`: fills a large f32 or f16 tensor on this device with its stream (key, offset,
 * scale), rearranged by the layout. Resolves to false, having done nothing, for a small tensor or one of integers.
 */
export function syntheticFillOnDevice(device: Device) {
	return async (
		stream: { readonly key: number; readonly offset: number; readonly scale: number },
		storedShape: readonly number[],
		layout: { readonly view?: readonly number[]; readonly permute?: readonly number[]; readonly padLastTo?: number },
		target: Tensor,
	): Promise<boolean> => {
		if (elementCount(storedShape) < fewestElements || (target.dtype !== "f16" && target.dtype !== "f32")) return false;
		const graph = new Graph(device, `synthetic ${target.storage.label}`);
		const { view, permute, padLastTo } = layout;
		syntheticFill(graph, { target, ...stream, storedShape, view, permute, padLastTo });
		const executable = await compileGraph(graph);
		await executable.run();
		executable.destroy();
		return true;
	};
}

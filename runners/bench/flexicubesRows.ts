import type { Device } from "../../engine/gpu/device.ts";
import { release, residentTensor } from "../../engine/gpu/transfer.ts";
import { extractMesh } from "../../engine/mesh/flexicubes.ts";
import { bodyCoordinates, bodySdf } from "../../engine/random/bodyGeometry.ts";
import { type BenchRow, medianRow } from "./report.ts";

/** The figure of PyTorch's benchmark (reference/stage2/bench.py): voxels within one of the surface, each of 4^3 cubes. */
const shell = Object.freeze({ height: 0.92, halfThickness: 1 });
const cubesOfVoxel = 4;
/** Calls that are not counted, and those that are. */
const [warmUps, timed] = [3, 9];

/** Cubes [n, 3] of the figure's shell on a grid of `resolution`^3. */
export function figureCubes(resolution: number): Int32Array {
	const voxels = bodyCoordinates({ resolution: resolution / cubesOfVoxel, ...shell });
	const within = [0, 1, 2, 3];
	const coords: number[] = [];
	for (let i = 0; i < voxels.length; i += 4) {
		const [x, y, z] = [voxels[i + 1] * 4, voxels[i + 2] * 4, voxels[i + 3] * 4];
		for (const a of within) for (const b of within) for (const c of within) coords.push(x + a, y + b, z + c);
	}
	return Int32Array.from(coords);
}

/** Features [n, columns] of the mesh decoder: the figure's distances at the corners, and noise. */
function figureFeatures(coords: Int32Array, resolution: number, columns: number): Float32Array {
	const { height } = shell;
	const features = new Float32Array((coords.length / 3) * columns);
	let state = 1;
	const noise = () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return 0.7 * (state / 2 ** 31 - 1);
	};
	for (let cube = 0; cube < coords.length / 3; cube++) {
		for (let c = 0; c < columns; c++) features[cube * columns + c] = noise();
		for (let corner = 0; corner < 8; corner++) {
			const [x, y, z] = [0, 1, 2].map((axis) => ((coords[cube * 3 + axis] + ((corner >> axis) & 1)) / resolution - 0.5) / height);
			const at = cube * columns + corner;
			features[at] = bodySdf(x, y, z) * height * 2 + 0.002 * features[at];
		}
	}
	return features;
}

/**
 * From cube features and coordinates on the GPU to a mesh on the host, each call with its own lists and memory: as stage 2 does it, and with the vertices' colours as
 * PyTorch's benchmark does. Wall time; memory with the features.
 */
export async function flexicubesRows(device: Device, resolution = 256): Promise<readonly BenchRow[]> {
	const coords = figureCubes(resolution);
	const rows: BenchRow[] = [];
	for (const [what, columns, withColors] of [
		["", 53, false],
		[", with colours", 101, true],
	] as const) {
		const before = device.memory.currentBytes;
		const shape = [coords.length / 3, columns];
		const cubeFeatures = residentTensor(device, "features", "f32", shape, figureFeatures(coords, resolution, columns));
		const coordsOnDevice = residentTensor(device, "coords", "i32", [coords.length / 3, 3], coords);
		try {
			device.memory.peakBytes = device.memory.currentBytes;
			const elapsedMs: number[] = [];
			let sizes = "";
			for (let run = 0; run < warmUps + timed; run++) {
				// What the call before freed goes back to the driver with the next submission: now, not within the next call.
				device.gpu.queue.submit([]);
				await device.idle();
				const started = performance.now();
				const { positions, faces } = await extractMesh(device, { cubeFeatures, coords, coordsOnDevice, resolution, withColors });
				if (run >= warmUps) elapsedMs.push(performance.now() - started);
				sizes = `${coords.length / 3} cubes, ${positions.length / 3} vertices, ${faces.length / 3} faces`;
			}
			const row = { name: `FlexiCubes ${resolution}^3${what}`, shape: sizes, calls: 1, peakBytes: device.memory.peakBytes - before };
			rows.push(medianRow(row, elapsedMs));
		} finally {
			for (const { storage } of [cubeFeatures, coordsOnDevice]) release(device, storage);
		}
	}
	return rows;
}

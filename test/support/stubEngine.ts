import { SyncHumanError } from "../../engine/error.ts";
import type { DeviceReport } from "../../engine/gpu/device.ts";
import { straightCutOut } from "../../engine/image/backgroundRemoval.ts";
import { type Image, imageOf } from "../../engine/image/image.ts";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import type { RepairReport } from "../../engine/mesh/repair.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import type { PartMeasurement } from "../../engine/stages/part.ts";
import type { RunOptions } from "../../engine/synchuman.ts";
import type { Engine } from "../../runners/generate.ts";
import { ballMesh } from "./ballMesh.ts";
import { randomCloud } from "./randomCloud.ts";
import { stageOneResult } from "./stageResults.ts";

/** An adapter's report that no machine has. */
export const stubReport: DeviceReport = {
	adapter: "a card",
	vendor: "a vendor",
	architecture: "",
	driver: "a driver",
	software: false,
	f16: true,
	subgroups: true,
	subgroupSizes: [32, 32],
	subgroupMatrixShapes: ["f16->f32 16x16x16"],
	timestamps: true,
	limits: {
		maxBufferSize: 2 ** 30,
		maxStorageBufferBindingSize: 2 ** 30,
		maxComputeWorkgroupStorageSize: 49152,
		maxComputeInvocationsPerWorkgroup: 1024,
		maxStorageBuffersPerShaderStage: 16,
	},
};

/** What the stub of an engine was asked, and when it is to fail. */
export interface StubOptions {
	/** What stage 2 made of the surface where it made a texture, a grey one of `size` pixels. */
	readonly finished?: { readonly size: number; readonly repair: RepairReport };
	readonly failIn?: "1" | "2";
	readonly previewFails?: SyncHumanError;
	readonly onCall?: (stage: "1" | "2", options: RunOptions) => void;
}

/** A mask of the middle half of a picture. */
function centre({ width, height }: Image): Uint8Array {
	const inside = (at: number, size: number) => at >= size / 4 && at < (size * 3) / 4;
	return Uint8Array.from({ length: width * height }, (_, i) =>
		inside(i % width, width) && inside(Math.floor(i / width), height) ? 255 : 0,
	);
}

function textured(mesh: Mesh, { size, repair }: NonNullable<StubOptions["finished"]>) {
	const picture = imageOf(size, size, 3, new Uint8Array(size * size * 3).fill(128));
	const uvs = new Float32Array((mesh.positions.length / 3) * 2).map((_, i) => mesh.positions[(i >> 1) * 3 + (i & 1)] + 0.5);
	return { texture: { picture, uvs, normals: vertexNormals(mesh) }, repair };
}

/** An engine that gives the results of test/support at once, with one part a stage, each step taking different times. */
export function stubEngine({ failIn, onCall, finished, previewFails }: StubOptions = {}): Engine {
	const measurements: PartMeasurement[] = [];
	const part = (name: string, stage: "1" | "2", options: RunOptions) => {
		onCall?.(stage, options);
		options.onPlan?.({
			stage: `stage ${stage}`,
			parts: [{ part: name, bytes: 3 * 2 ** 20 }],
			heldBytes: 0,
			residentBytes: 0,
			peakBytes: 3 * 2 ** 20,
		});
		options.onProgress?.({ part: name, step: 0, steps: 1, elapsedMs: 0, etaMs: undefined });
		if (failIn === stage || options.signal?.aborted) throw new SyncHumanError("aborted", "The run was stopped.");
		options.onProgress?.({ part: name, step: 1, steps: 1, elapsedMs: 5, etaMs: 0 });
		measurements.push({
			part: name,
			loadSeconds: Math.random(),
			compileSeconds: Math.random(),
			computeSeconds: Math.random(),
			plannedBytes: 3,
			peakBytes: 2,
		});
	};
	return {
		device: { report: stubReport },
		dtype: "f16",
		measurements,
		async preview() {
			if (previewFails !== undefined) throw previewFails;
			return imageOf(3, 2, 3, new Uint8Array(18).fill(7));
		},
		removeBackground: async (image) => straightCutOut(image, imageOf(image.width, image.height, 1, centre(image))),
		async stageOne(input, options = {}) {
			part("diffusion", "1", options);
			options.onViews?.({
				step: 1,
				steps: 1,
				views: [0, 50, 100, 150, 200].map((grey) => imageOf(2, 2, 3, new Uint8Array(12).fill(grey))),
			});
			return { ...stageOneResult(), input };
		},
		async stageTwo(_stageOne, options = {}) {
			part("mesh decoder", "2", options);
			const mesh = ballMesh([0, 0, 0], 0.4, 8);
			return { mesh, gaussians: randomCloud(96, 1), syntheticGeometry: true, ...(finished && textured(mesh, finished)) };
		},
	};
}

import { SyncHumanError } from "../error.ts";
import type { Device } from "./device.ts";
import { loadShader } from "./shaderSource.ts";

/** What a render pipeline is made from. */
export interface RenderPipelineRequest {
	/** Path under shaders/ without ".wgsl"; it has one vertex and one fragment entry point. */
	readonly shader: string;
	readonly layout: GPUBindGroupLayout;
	readonly vertexBuffers: readonly GPUVertexBufferLayout[];
	readonly format: GPUTextureFormat;
	readonly depthFormat: GPUTextureFormat;
	/** Samples a pixel. */
	readonly samples: number;
}

/** Compiles a render pipeline for triangles seen from both sides, the nearest in front. Throws code "device", naming the shader. */
export async function compileRenderPipeline(device: Device, request: RenderPipelineRequest): Promise<GPURenderPipeline> {
	const { shader, layout, vertexBuffers, format, depthFormat, samples } = request;
	const { gpu } = device;
	return device.guarded(`shader ${shader}`, async () => {
		const module = gpu.createShaderModule({ label: shader, code: loadShader(shader) });
		const made = gpu.createRenderPipelineAsync({
			label: shader,
			layout: gpu.createPipelineLayout({ label: shader, bindGroupLayouts: [layout] }),
			vertex: { module, buffers: [...vertexBuffers] },
			fragment: { module, targets: [{ format }] },
			primitive: { topology: "triangle-list", cullMode: "none" },
			depthStencil: { format: depthFormat, depthWriteEnabled: true, depthCompare: "less" },
			multisample: { count: samples },
		});
		return made.catch((cause) => {
			throw new SyncHumanError("device", `shader ${shader}: ${(cause as Error).message}`, undefined, { cause });
		});
	});
}

/** A texture whose bytes are counted like those of buffers. */
export interface CountedTexture {
	readonly texture: GPUTexture;
	destroy(): void;
}

/** Creates a texture and counts `bytesPerTexel` for each sample of each level in the device's memory until it is destroyed. */
export function createCountedTexture(device: Device, descriptor: GPUTextureDescriptor, bytesPerTexel: number): CountedTexture {
	const byteLength = textureBytes(descriptor, bytesPerTexel);
	const texture = device.gpu.createTexture(descriptor);
	device.memory.currentBytes += byteLength;
	device.memory.peakBytes = Math.max(device.memory.peakBytes, device.memory.currentBytes);
	let isThere = true;
	return {
		texture,
		destroy() {
			if (!isThere) return;
			isThere = false;
			device.memory.currentBytes -= byteLength;
			texture.destroy();
		},
	};
}

/** Bytes of a two-dimensional texture with all its levels and samples. */
export function textureBytes({ size, mipLevelCount = 1, sampleCount = 1 }: GPUTextureDescriptor, bytesPerTexel: number): number {
	const [width, height = 1] = size as readonly number[];
	let bytes = 0;
	for (let level = 0; level < mipLevelCount; level++) bytes += Math.max(1, width >> level) * Math.max(1, height >> level);
	return bytes * bytesPerTexel * sampleCount;
}

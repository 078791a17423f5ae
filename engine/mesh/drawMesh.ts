import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { type CountedTexture, compileRenderPipeline, createCountedTexture, textureBytes } from "../gpu/renderPipeline.ts";
import type { VisibilityCamera } from "./faceVisibility.ts";
import { srgbToLinear } from "./glb.ts";
import type { Mesh } from "./mesh.ts";
import { pictureLevels } from "./pictureLevels.ts";
import { vertexNormals } from "./vertexNormals.ts";

/** A mesh as it is drawn; `colors` are its vertices', multiplied with texture and factor where there are any. */
export interface DrawnMesh extends Mesh {
	/** [v, 3]; the mesh's own smooth ones where absent. */
	readonly normals?: Float32Array | undefined;
	/** [v, 2] v runs up. */
	readonly uvs?: Float32Array | undefined;
	readonly texture?: DrawnTexture | undefined;
	/** Linear r, g, b; white where absent. */
	readonly factor?: readonly [number, number, number] | undefined;
}

/** A picture on a mesh. */
export interface DrawnTexture {
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** [height, width, channels] sRGB, 3 or 4 channels (alpha is left out); row 0 at v = 1. */
	readonly data: Uint8Array;
}

/** The colour as it is, lit from beside the camera, or the normal in stage 1's colours. */
export type Shading = "color" | "lit" | "normals";

/** Draws meshes from many sides. */
export interface MeshRenderer {
	/**
	 * A picture u8 [height, width, 4], premultiplied sRGB over nothing, row 0 at clip space's y = 1; every pixel is the mean of 16 samples.
	 * `mirrored`: the camera turns left and right over. Calls must not overlap.
	 */
	draw(camera: VisibilityCamera, shading: Shading, mirrored?: boolean): Promise<Uint8Array>;
	destroy(): void;
}

/** Pixels drawn along each axis for one of the picture, and samples of each. */
const [finer, samples] = [2, 4];

const floatsOfVertex = 11;
const paramsBytes = 112;
const [colorFormat, depthFormat] = ["rgba8unorm", "depth32float"] as const;

/** Pixels of a picture's side at most: WebGPU's smallest limit for textures. */
const largestPicture = 8192 / finer;

/** The textures that a picture is drawn to, and the buffer it is read through. */
function targetsOf(width: number, height: number) {
	const size = [width * finer, height * finer];
	return {
		color: { label: "drawn samples", size, format: colorFormat, sampleCount: samples, usage: GPUTextureUsage.RENDER_ATTACHMENT },
		depth: { label: "depths", size, format: depthFormat, sampleCount: samples, usage: GPUTextureUsage.RENDER_ATTACHMENT },
		resolved: { label: "drawn picture", size, format: colorFormat, usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC },
		rowBytes: Math.ceil((width * finer * 4) / 256) * 256,
		readBytes: Math.ceil((width * finer * 4) / 256) * 256 * height * finer,
	};
}

function textureDescriptor({ width, height }: Pick<DrawnTexture, "width" | "height">): GPUTextureDescriptor {
	return {
		label: "texture",
		size: [width, height],
		format: colorFormat,
		mipLevelCount: 1 + Math.floor(Math.log2(Math.max(width, height))),
		usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
	};
}

const white: DrawnTexture = { width: 1, height: 1, channels: 4, data: new Uint8Array(4).fill(255) };

/** GPU bytes that a renderer of these meshes holds. */
export function meshRendererBytes(parts: readonly DrawnMesh[], width: number, height: number): number {
	const { color, depth, resolved, readBytes } = targetsOf(width, height);
	const targets = [color, depth, resolved].reduce((sum, target) => sum + textureBytes(target, 4), readBytes);
	return parts.reduce(
		(sum, { positions, faces, texture = white }) =>
			sum + (positions.length / 3) * floatsOfVertex * 4 + faces.length * 4 + paramsBytes + textureBytes(textureDescriptor(texture), 4),
		targets,
	);
}

/** A renderer of meshes in one world. Throws code "input" for pictures or textures that are too large, "memory" where the GPU has no room. */
export async function openMeshRenderer(device: Device, parts: readonly DrawnMesh[], width: number, height: number): Promise<MeshRenderer> {
	if (![width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= largestPicture)) {
		throw new SyncHumanError("input", `picture: must be 1 to ${largestPicture} pixels wide and high, got ${width} x ${height}`);
	}
	const { gpu } = device;
	const owned: { destroy(): void }[] = [];
	const destroy = () => {
		for (const one of owned.splice(0)) one.destroy();
	};
	const keep = <T extends { destroy(): void }>(one: T): T => {
		owned.push(one);
		return one;
	};
	const buffer = (label: string, byteLength: number, usage: number, values?: Float32Array | Uint32Array): GPUBuffer => {
		const made = device.createBuffer(label, Math.max(16, byteLength), usage | GPUBufferUsage.COPY_DST);
		owned.push({ destroy: () => device.destroyBuffer(made) });
		if (values !== undefined) gpu.queue.writeBuffer(made, 0, values as Float32Array<ArrayBuffer>);
		return made;
	};
	const layout = gpu.createBindGroupLayout({
		entries: [
			{ binding: 0, visibility: GPUShaderStage.VERTEX | GPUShaderStage.FRAGMENT, buffer: { type: "uniform" } },
			{ binding: 1, visibility: GPUShaderStage.FRAGMENT, texture: {} },
			{ binding: 2, visibility: GPUShaderStage.FRAGMENT, sampler: {} },
		],
	});
	try {
		const pipeline = await compileRenderPipeline(device, {
			shader: "mesh/drawMesh",
			layout,
			vertexBuffers: [vertexLayout],
			format: colorFormat,
			depthFormat,
			samples,
		});
		const { color, depth, resolved, rowBytes, readBytes } = targetsOf(width, height);
		const made = await device.guarded("picture", () => {
			const sampler = gpu.createSampler({
				magFilter: "linear",
				minFilter: "linear",
				mipmapFilter: "linear",
				addressModeU: "repeat",
				addressModeV: "repeat",
			});
			const targets = [color, depth, resolved].map((target) => keep(createCountedTexture(device, target, 4)));
			const staging = buffer("read picture", readBytes, GPUBufferUsage.MAP_READ);
			const drawn = parts.map((part) => {
				const params = buffer("camera", paramsBytes, GPUBufferUsage.UNIFORM);
				const texture = keep(uploadTexture(device, part.texture ?? white));
				return {
					factor: part.factor ?? [1, 1, 1],
					params,
					count: part.faces.length,
					...geometry(part, buffer),
					bindGroup: gpu.createBindGroup({
						layout,
						entries: [
							{ binding: 0, resource: { buffer: params } },
							{ binding: 1, resource: texture.texture.createView() },
							{ binding: 2, resource: sampler },
						],
					}),
				};
			});
			gpu.queue.submit([]); // frees the staging memory of the writes
			return { targets, staging, drawn };
		});
		const [colorTarget, depthTarget, resolvedTarget] = made.targets.map(({ texture }) => texture);
		return {
			destroy,
			async draw(camera, shading, mirrored = false) {
				return device.guarded("picture", async () => {
					for (const { params, factor } of made.drawn) {
						gpu.queue.writeBuffer(params, 0, paramsOf(camera, factor, shading, mirrored));
					}
					const encoder = gpu.createCommandEncoder({ label: "picture" });
					const pass = encoder.beginRenderPass({
						colorAttachments: [
							{
								view: colorTarget.createView(),
								resolveTarget: resolvedTarget.createView(),
								clearValue: [0, 0, 0, 0],
								loadOp: "clear",
								storeOp: "discard",
							},
						],
						depthStencilAttachment: { view: depthTarget.createView(), depthClearValue: 1, depthLoadOp: "clear", depthStoreOp: "discard" },
					});
					pass.setPipeline(pipeline);
					for (const { bindGroup, vertices, indices, count } of made.drawn) {
						pass.setBindGroup(0, bindGroup);
						pass.setVertexBuffer(0, vertices);
						pass.setIndexBuffer(indices, "uint32");
						pass.drawIndexed(count);
					}
					pass.end();
					encoder.copyTextureToBuffer({ texture: resolvedTarget }, { buffer: made.staging, bytesPerRow: rowBytes }, [
						width * finer,
						height * finer,
					]);
					gpu.queue.submit([encoder.finish()]);
					await made.staging.mapAsync(GPUMapMode.READ);
					try {
						return meanOfSamples(new Uint8Array(made.staging.getMappedRange()), rowBytes, width, height);
					} finally {
						made.staging.unmap();
					}
				});
			},
		};
	} catch (error) {
		destroy();
		throw error;
	}
}

const vertexLayout: GPUVertexBufferLayout = {
	arrayStride: floatsOfVertex * 4,
	attributes: [
		{ shaderLocation: 0, offset: 0, format: "float32x3" },
		{ shaderLocation: 1, offset: 12, format: "float32x3" },
		{ shaderLocation: 2, offset: 24, format: "float32x2" },
		{ shaderLocation: 3, offset: 32, format: "float32x3" },
	],
};

type MakeBuffer = (label: string, byteLength: number, usage: number, values?: Float32Array | Uint32Array) => GPUBuffer;

/** Vertices [v, 11] (position, normal, uv, linear colour) and indices on the GPU. */
function geometry(part: DrawnMesh, buffer: MakeBuffer): { readonly vertices: GPUBuffer; readonly indices: GPUBuffer } {
	const { positions, faces, colors, uvs, normals = vertexNormals(part) } = part;
	const count = positions.length / 3;
	const vertices = new Float32Array(count * floatsOfVertex);
	for (let v = 0; v < count; v++) {
		const at = v * floatsOfVertex;
		for (let k = 0; k < 3; k++) {
			vertices[at + k] = positions[v * 3 + k];
			vertices[at + 3 + k] = normals[v * 3 + k];
			vertices[at + 8 + k] = colors === undefined ? 1 : srgbToLinear(colors[v * 3 + k]);
		}
		if (uvs !== undefined) vertices.set([uvs[v * 2], uvs[v * 2 + 1]], at + 6);
	}
	return {
		vertices: buffer("vertices", vertices.byteLength, GPUBufferUsage.VERTEX, vertices),
		indices: buffer("indices", faces.byteLength, GPUBufferUsage.INDEX, faces),
	};
}

function uploadTexture(device: Device, picture: DrawnTexture): CountedTexture {
	const made = createCountedTexture(device, textureDescriptor(picture), 4);
	pictureLevels(picture).forEach(({ width, height, data }, mipLevel) => {
		device.gpu.queue.writeTexture({ texture: made.texture, mipLevel }, data, { bytesPerRow: width * 4 }, [width, height]);
	});
	return made;
}

/** The shader's Params. */
function paramsOf({ view, projection }: VisibilityCamera, factor: readonly number[], shading: Shading, mirrored: boolean) {
	const rows = [0, 1, 2, 3].map((row) =>
		[0, 1, 2, 3].map((column) => [0, 1, 2, 3].reduce((sum, k) => sum + projection[row * 4 + k] * view[k * 4 + column], 0)),
	);
	const depth = rows[2].map((value, column) => (value + rows[3][column]) / 2); // OpenGL's -1..1 to 0..1
	const ordered = [rows[0], rows[1], depth, rows[3]];
	const [right, up, backward] = [0, 1, 2].map((axis) => view.slice(axis * 4, axis * 4 + 3));
	const light = backward.map((value, k) => value * 0.8 + up[k] * 0.5 - right[k] * 0.33);
	const length = Math.hypot(...light);
	const shadings: Readonly<Record<Shading, number>> = { color: 0, lit: 1, normals: 2 };
	return Float32Array.from([
		...[0, 1, 2, 3].flatMap((column) => ordered.map((row) => row[column])),
		...factor,
		mirrored ? 1 : 0,
		...backward,
		0,
		...light.map((value) => value / length),
		shadings[shading],
	]);
}

/** [height, width, 4] from a picture `finer` times as large along both axes whose rows take `rowBytes`. */
function meanOfSamples(drawn: Uint8Array, rowBytes: number, width: number, height: number): Uint8Array {
	const picture = new Uint8Array(width * height * 4);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width * 4; x++) {
			const at = y * finer * rowBytes + (x >> 2) * finer * 4 + (x & 3);
			let sum = 0;
			for (let row = 0; row < finer; row++) for (let column = 0; column < finer; column++) sum += drawn[at + row * rowBytes + column * 4];
			picture[y * width * 4 + x] = Math.round(sum / (finer * finer));
		}
	}
	return picture;
}

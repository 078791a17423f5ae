import { expect, it } from "vitest";
import { type DrawnMesh, meshRendererBytes, openMeshRenderer, type Shading } from "../../engine/mesh/drawMesh.ts";
import { testDevice } from "../support/gpu.ts";

/** A camera in front (at -y, looking along +y) that shows [-1, 1]^2: x right, z up. */
const front = {
	view: [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, -5, 0, 0, 0, 1],
	projection: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -0.2, -1, 0, 0, 0, 1],
};

/** A square in the plane y = `depth`, seen from -y: its lower left quarter of the picture is (-1, -1)..(0, 0) times `reach`. */
function square(depth: number, reach: number, more: Partial<DrawnMesh> = {}): DrawnMesh {
	const positions = Float32Array.from([-1, 1, 1, -1].flatMap((x, i) => [x * reach, depth, (i < 2 ? -1 : 1) * reach]));
	return { positions, faces: Uint32Array.of(0, 1, 2, 0, 2, 3), uvs: Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1), ...more };
}

async function drawn(parts: readonly DrawnMesh[], size: number, shading: Shading = "color", mirrored = false) {
	const device = await testDevice();
	const before = device.memory.currentBytes;
	device.memory.peakBytes = before;
	const renderer = await openMeshRenderer(device, parts, size, size);
	const projection = front.projection.map((value, i) => (mirrored && i === 0 ? -value : value));
	const picture = await renderer.draw({ ...front, projection }, shading, mirrored);
	expect(await renderer.draw({ ...front, projection }, shading, mirrored)).toEqual(picture);
	renderer.destroy();
	renderer.destroy();
	expect(device.memory.currentBytes).toBe(before);
	expect(device.memory.peakBytes - before).toBeLessThanOrEqual(meshRendererBytes(parts, size, size));
	return (x: number, y: number) => [...picture.subarray((y * size + x) * 4, (y * size + x) * 4 + 4)];
}

/** Four quarters of 4 x 4 texels: red, green above blue, white; row 0 on top. */
const quarters = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
const quarter = (texel: number) => 2 * (texel >= 32 ? 1 : 0) + (texel % 8 >= 4 ? 1 : 0);
const texture = {
	width: 8,
	height: 8,
	channels: 3,
	data: Uint8Array.from({ length: 192 }, (_, i) => quarters[quarter(Math.floor(i / 3)) * 3 + (i % 3)]),
};

it("puts a texture's upper row at v = 1, x to the right and z up, and turns left and right over when told to", async () => {
	const parts = [square(0, 1, { texture })];
	const at = await drawn(parts, 16);
	expect([at(3, 3), at(12, 3), at(3, 12), at(12, 12)]).toEqual([
		[255, 0, 0, 255],
		[0, 255, 0, 255],
		[0, 0, 255, 255],
		[255, 255, 255, 255],
	]);
	const turned = await drawn(parts, 16, "color", true);
	expect([turned(3, 3), turned(12, 12)]).toEqual([
		[0, 255, 0, 255],
		[0, 0, 255, 255],
	]);
});

it("keeps a texture's values, shows the nearest of several meshes, and gives what is half covered half of its alpha", async () => {
	const grey = (value: number) => ({ width: 1, height: 1, channels: 4, data: Uint8Array.of(value, value, value, 7) });
	const at = await drawn([square(0, 0.5, { texture: grey(200) }), square(-1, 0.25, { texture: grey(77) }), square(1, 0.5)], 16);
	expect(at(8, 8)).toEqual([77, 77, 77, 255]);
	expect(at(5, 8)).toEqual([200, 200, 200, 255]);
	expect(at(1, 8)).toEqual([0, 0, 0, 0]);
	const odd = await drawn([square(0, 0.5)], 15); // its edge runs through the middle of a pixel
	expect(odd(3, 7)[3]).toBeGreaterThan(60);
	expect(odd(3, 7)[3]).toBeLessThan(80);
});

it("multiplies vertex colours and factor in linear light", async () => {
	const colors = new Float32Array(12).fill(0.5);
	const at = await drawn([square(0, 1, { colors, factor: [1, 0.5, 0] })], 8);
	// sRGB 0.5 is 0.214041 linear; half of it is 0.361 in sRGB.
	expect(at(4, 4)).toEqual([128, 92, 0, 255]);
});

it("shows normals as stage 1's pictures have them, on both sides of a face, in mirrored pictures too", async () => {
	const facing = square(0, 1, { normals: Float32Array.from({ length: 12 }, (_, i) => [0, -1, 0][i % 3]) });
	const away = { ...facing, faces: Uint32Array.of(0, 2, 1, 0, 3, 2), normals: facing.normals?.map((value) => -value) };
	for (const mesh of [facing, away]) {
		for (const mirrored of [false, true]) expect((await drawn([mesh], 8, "normals", mirrored))(4, 4)).toEqual([128, 128, 255, 255]);
	}
	const lit = await drawn([facing], 8, "lit");
	expect(lit(4, 4)[0]).toBeGreaterThan(180);
	expect(lit(4, 4)[0]).toBeLessThan(255);
});

it("refuses pictures that no texture can hold", async () => {
	await expect(openMeshRenderer(await testDevice(), [square(0, 1)], 4097, 8)).rejects.toMatchObject({ code: "input" });
});

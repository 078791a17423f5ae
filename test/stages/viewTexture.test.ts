import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";
import { finishWorkHere } from "../../engine/stages/finishWork.ts";
import { bodyPictures } from "../../engine/stages/textureViews.ts";
import { viewTexture } from "../../engine/stages/viewTexture.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";
import { uvSphere } from "../support/uvSphere.ts";

const size = 96;
const mesh = uvSphere(48, 24, 0.4);
/** A ball with 12 bright and dark bands, as all four views see it; the face view is empty. */
const grey = (row: number) => (Math.floor((row / size) * 12) % 2 === 0 ? 60 : 200);
const bands = imageOf(
	size,
	size,
	3,
	Uint8Array.from({ length: size * size * 3 }, (_, i) => grey(Math.floor(i / 3 / size))),
);
const empty = imageOf(size, size, 3, new Uint8Array(size * size * 3).fill(255));
const normals = [...ellipsoidViews(size, [0.4, 0.4, 0.4]).map(({ normal }) => imageOf(size, size, 3, normal)), empty];

it("shows the bands that the views show, twice the same", async () => {
	const cameras = bakeViews(0);
	const views = bodyPictures({ colors: [bands, bands, bands, bands, empty], normals }, size).map((picture, i) => ({
		...picture,
		view: cameras[i].view,
		projection: cameras[i].projection,
		rowsRunWithRaster: true,
	}));
	const reports: number[] = [];
	const run = () =>
		viewTexture({
			...{ mesh, colors: new Float32Array(mesh.positions.length).fill(0.5), views, size: 256, work: finishWorkHere(256) },
			report: (done) => void reports.push(done),
		});
	const picture = await run();
	expect(reports).toEqual([1, 2, 3, 4, 5]);
	let [far, count] = [0, 0];
	for (let i = 0; i < mesh.uvs.length / 2; i++) {
		const z = mesh.positions[i * 3 + 2];
		const inBand = ((0.5 - z) * 12) % 1;
		if (Math.abs(z) > 0.3 || inBand < 0.3 || inBand > 0.7) continue;
		const [column, row] = [Math.floor(mesh.uvs[i * 2] * 256), 255 - Math.floor(mesh.uvs[i * 2 + 1] * 256)];
		count++;
		if (Math.abs(picture[(row * 256 + column) * 3] - grey((0.5 - z) * size)) > 12) far++;
	}
	expect(count).toBeGreaterThan(100);
	expect(far / count).toBeLessThan(0.05);
	expect(await run()).toEqual(picture);
});

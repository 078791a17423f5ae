import { chooseDevice } from "./chooseDevice.ts";
import { compareViews, piecesOf } from "./compareViews.ts";
import { readFigure } from "./render.ts";
import { readViews } from "./viewsFolder.ts";

// npm run check-reconstruction -- VIEWS_DIR MODEL.glb: how well a model shows the views that it was made from. Exit status 1 where it
// misses what is asked of a reconstruction: silhouettes to 0.985, 28 dB in front and back, 24 dB in the sides, at most 3 pieces.

const [folder, model] = process.argv.slice(2);
if (folder === undefined || model === undefined) throw new Error("checkReconstruction: give VIEWS_DIR and MODEL.glb");
const views = await readViews(folder);
const figure = await readFigure(model, "y");
if (!("meshes" in figure)) throw new Error(`checkReconstruction: ${model} has no mesh`);
const device = await chooseDevice({ adapter: undefined, allowSoftware: true });
const asked: Readonly<Record<string, number>> = { front: 28, right: 24, back: 28, left: 24 };
let misses = 0;
for (const { view, psnr, overlap } of await compareViews(device, figure.meshes, views)) {
	const fits = psnr >= asked[view] && overlap >= 0.985;
	if (!fits) misses++;
	process.stdout.write(`${view.padEnd(6)} ${psnr.toFixed(2)} dB  overlap ${overlap.toFixed(4)}${fits ? "" : "  MISSES"}\n`);
}
const { pieces, boundaryEdges } = piecesOf(figure.meshes);
if (pieces > 3) misses++;
process.stdout.write(`${pieces} pieces, ${boundaryEdges} boundary edges\n`);
device.close();
process.exitCode = misses === 0 ? 0 : 1;

// One picture to PSHuman's views and a body of them, under Node: node pshuman.mjs PICTURE FOLDER [WEIGHTS [ADAPTER]]
import { mkdir, readFile, writeFile } from "node:fs/promises";
import {
	chooseDevice,
	cutOut,
	decodePicture,
	encodePng,
	onThreads,
	openPshumanWeights,
	PsHuman,
	pictureToCut,
	pshumanViewNames,
	SyncHumanError,
	surfaceFiles,
} from "synchuman-webgpu";

const [picture, folder, name = "ckpts/PSHuman_Unclip_768_6views", adapter] = process.argv.slice(2);
const tiny = name === "synthetic:tiny"; // for trying things out: few steps will do

try {
	const weights = await openPshumanWeights(name);
	// What is transparent is cut out; of a photo U^2-Net removes the background, where its file is (here: ckpts/u2net.onnx).
	const photo = await decodePicture(await readFile(picture), picture);
	const source = await pictureToCut(photo, { background: "auto", weights: ["ckpts"] });
	const device = await chooseDevice({ adapter });
	const engine = await PsHuman.open({ device, weights: weights.checkpointFor(device) });
	const onProgress = ({ part, step, steps }) => console.error(`${part} ${step}/${steps}`);
	const image = await cutOut(engine, source, { onProgress }, console.error);
	const views = await engine.views(image, { onProgress, ...(tiny && { steps: 1 }) });
	const finish = tiny ? undefined : { textureSize: 1024, simplify: 0.3, ...onThreads };
	const body = await engine.body(views, { onProgress, finish });
	const masked = await engine.maskedViews(views, source.network?.weights, { onProgress });
	await mkdir(folder, { recursive: true });
	for (const [i, view] of pshumanViewNames.entries()) {
		await writeFile(`${folder}/color_${view}.png`, await encodePng(masked.colors[i]));
		await writeFile(`${folder}/normal_${view}.png`, await encodePng(masked.normals[i]));
	}
	for (const [file, content] of await surfaceFiles(body)) {
		await writeFile(`${folder}/${file}`, content);
		console.log(`${folder}/${file}`);
	}
	engine.close();
	device.close();
} catch (error) {
	if (!(error instanceof SyncHumanError)) throw error;
	console.error(error.message, error.hint ?? "");
	process.exitCode = 1;
}

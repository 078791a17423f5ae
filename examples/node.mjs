// One picture to a model, under Node: node node.mjs PICTURE FOLDER [WEIGHTS [ADAPTER]]
import { readFile } from "node:fs/promises";
import {
	chooseDevice,
	decodePicture,
	onThreads,
	openWeights,
	SyncHuman,
	SyncHumanError,
	writeStageOne,
	writeStageTwo,
} from "synchuman-webgpu";

const [picture, folder, name = "ckpts", adapter] = process.argv.slice(2);

try {
	const weights = await openWeights(name, ["1", "2"]); // reads headers only: what does not fit shows itself here
	const device = await chooseDevice({ adapter });
	const engine = await SyncHuman.open({ device, weights: weights.checkpointFor(device) });
	const image = await decodePicture(await readFile(picture), picture);
	const { stageOne, stageTwo } = await engine.generate(image, {
		...onThreads,
		// The tiny synthetic weights are for trying things out: few steps will do for them.
		...(name === "synthetic:tiny" && { steps: 1, stageTwoSteps: 1, textureSize: 0 }),
		onProgress: ({ part, step, steps }) => console.error(`${part} ${step}/${steps}`),
	});
	await writeStageOne(`${folder}/stage1`, stageOne);
	console.log((await writeStageTwo(`${folder}/stage2`, stageTwo)).join("\n"));
	engine.close();
	device.close();
} catch (error) {
	if (!(error instanceof SyncHumanError)) throw error;
	console.error(error.message, error.hint ?? "");
	process.exitCode = 1;
}

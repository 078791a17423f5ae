// Five views of a picture, under Deno: deno run -A deno.ts PICTURE FOLDER [WEIGHTS [ADAPTER]]
// in a folder where the package is installed (its tarball: npm pack in a clone).
import { chooseDevice, decodePicture, openWeights, type Progress, type RunOptions, SyncHuman, writeStageOne } from "synchuman-webgpu";

const [picture, folder, name = "ckpts", adapter] = Deno.args;

const weights = await openWeights(name, ["1"]);
const device = await chooseDevice({ adapter });
const engine = await SyncHuman.open({ device, weights: weights.checkpointFor(device) });
const options: RunOptions = {
	steps: name === "synthetic:tiny" ? 1 : 30,
	onProgress: ({ part, step, steps }: Progress) => console.error(`${part} ${step}/${steps}`),
};
const views = await engine.stageOne(await decodePicture(await Deno.readFile(picture), picture), options);
await writeStageOne(folder, views);
console.log(folder);
engine.close();
device.close();

import { basename, dirname } from "node:path";
import { SyncHumanError } from "../../engine/error.ts";
import { declareU2net } from "../../engine/models/u2net.ts";
import { openU2netWeights } from "../../engine/models/u2netWeights.ts";
import { damaged } from "../../weights/damaged.ts";
import type { ByteSource, Folder } from "../../weights/source.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { Weights } from "../../weights/weights.ts";
import { backgroundFileNames } from "../backgroundNetwork.ts";
import { directoryFolder, isFile } from "../files.ts";
import { openPshumanWeights } from "../openPshumanWeights.ts";
import { openWeights } from "../openWeights.ts";
import { hashWeightsFolder } from "../weightFiles.ts";
import { readWeightsLock, weightsLockName } from "../weightsLock.ts";

/** What `synchuman verify` found. */
export interface Verified {
	/** What was looked at, for people. */
	readonly networks: readonly string[];
	/** Files whose bytes are those of the lock. */
	readonly hashed: number;
	/** Whether there is a lock; without one only headers were looked at. */
	readonly locked: boolean;
}

/** Where `download` puts PSHuman's checkpoint inside a weights folder. */
const pshumanFolder = "PSHuman_Unclip_768_6views";

/**
 * Looks at weights without a GPU: a folder with SyncHuman's stages, with PSHuman's components (or such a folder inside), with U^2-Net's
 * file, or with several of them; or U^2-Net's file alone. Configs, and name, type and shape of every tensor against the networks; then every file
 * against the hash in the lock. Throws code "checkpoint", naming the first file that is wrong or missing.
 */
export async function verifyWeights(path: string, onFile: (name: string) => void): Promise<Verified> {
	if (await isFile(path)) {
		const source = (await directoryFolder(dirname(path)).open(basename(path))) as ByteSource;
		return { networks: [await verifyU2net(source)], hashed: 0, locked: false };
	}
	const folder = directoryFolder(path);
	const networks: string[] = [];
	const isThere = async (...files: readonly string[]) => {
		for (const file of files) if ((await folder.open(file)) !== undefined) return true;
		return false;
	};
	const pshuman = (await isThere("model_index.json"))
		? path
		: (await isThere(`${pshumanFolder}/model_index.json`))
			? `${path}/${pshumanFolder}`
			: undefined;
	if (pshuman !== undefined) {
		await openPshumanWeights(pshuman);
		networks.push("PSHuman");
	}
	for (const source of await u2netFiles(folder)) networks.push(await verifyU2net(source));
	const configs = ["OneStage/pipeline_config.json", "SecondStage/pipeline.json"];
	// A folder with nothing of all that is told as the checkpoint that it is not.
	if (networks.length === 0 || (await isThere(...configs.flatMap((name) => [name, `ckpts/${name}`])))) {
		await openWeights(path, ["1", "2"]);
		networks.unshift("SyncHuman");
	}
	const lock = await readWeightsLock(folder);
	const mend = `Delete the file and run synchuman download again; if it is right, delete ${weightsLockName}.`;
	for (const [name, { byteLength, sha256 }] of lock) {
		const found = (await hashWeightsFolder(path, [name])).get(name);
		if (found?.byteLength !== byteLength || found.sha256 !== sha256) {
			throw new SyncHumanError(
				"checkpoint",
				`${path}/${name}: is not the file that ${weightsLockName} records (its sha256 differs).`,
				mend,
			);
		}
		onFile(name);
	}
	return { networks, hashed: lock.size, locked: lock.size > 0 };
}

async function u2netFiles(folder: Folder): Promise<readonly ByteSource[]> {
	const found = await Promise.all(backgroundFileNames.map((name) => folder.open(name)));
	return found.filter((source) => source !== undefined);
}

/** Reads the whole file: an ONNX graph says nothing about its data but their places. What to call it. */
async function verifyU2net(source: ByteSource): Promise<string> {
	const { tensors, config } = await openU2netWeights(source);
	const weights = Weights.open(tensors);
	declareU2net(weights, config, "f32");
	weights.finish();
	for (const { name, storedShape } of weights.declared) {
		const values = toFloat32(await tensors.read(name, storedShape));
		const wrong = values.findIndex((value) => !Number.isFinite(value));
		if (wrong >= 0) throw damaged(source.name, `value ${wrong} of ${name} is ${values[wrong]}`);
	}
	return basename(source.name);
}

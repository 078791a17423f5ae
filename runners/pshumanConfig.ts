import { SyncHumanError } from "../engine/error.ts";
import { type OptionValues, usage } from "./optionValues.ts";

// Upstream's way to say what a run does: a YAML file (configs/inference-768-6view.yaml) and key=value words over it.

/** Upstream's keys that count here, and the option that each stands for. */
const counted: Readonly<Record<string, string>> = Object.freeze({
	pretrained_model_name_or_path: "weights",
	"validation_dataset.root_dir": "images",
	"validation_dataset.crop_size": "crop-size",
	seed: "seed",
	num_views: "num-views",
	save_mode: "save-mode",
	with_smpl: "with-smpl",
	validation_guidance_scales: "guidance",
	"pipe_validation_kwargs.num_inference_steps": "steps",
	"pipe_validation_kwargs.eta": "eta",
});

/** A word of the command line that is an override; a file with such a name is given as ./NAME. */
export const isOverride = (word: string) => /^[A-Za-z_][\w.]*=/.test(word);

/** Overrides as options. Throws code "input" for a key that does not count here. */
export function overrideOptions(words: readonly string[]): OptionValues {
	return Object.fromEntries(
		words.map((word) => {
			const key = word.slice(0, word.indexOf("="));
			const option = counted[key];
			if (option === undefined) throw usage(`Unknown key "${key}"; those that count are ${Object.keys(counted).join(", ")}`);
			return [option, scalar(word.slice(key.length + 1))];
		}),
	);
}

/** What of upstream's YAML file counts, as options, and the other keys. Throws code "input" where a line cannot be read. */
export function configOptions(text: string, name: string): { readonly options: OptionValues; readonly ignored: readonly string[] } {
	const options: Record<string, string> = {};
	const ignored: string[] = [];
	for (const [key, value] of keysOf(text, name)) {
		const option = counted[key];
		if (option === undefined) ignored.push(key);
		else options[option] = value;
	}
	return { options, ignored };
}

/** Scalars by their keys with dots: of YAML only what OmegaConf's files have, maps in maps; items of lists are passed over. */
function keysOf(text: string, name: string): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	const open: { readonly indent: number; readonly key: string }[] = [];
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		const bare = line.replace(/(^|\s)#.*$/, "").trimEnd();
		const indent = bare.length - bare.trimStart().length;
		if (bare.trim() === "" || bare.trim() === "---" || /^-(\s|$)/.test(bare.trim())) continue;
		const match = /^([\w.-]+)\s*:(?:\s+(.*))?$/.exec(bare.trim());
		if (match === null || line.slice(0, indent).includes("\t")) {
			throw new SyncHumanError(
				"input",
				`${name}: line ${index + 1} is not "key: value".`,
				"Give PSHuman's configs/inference-768-6view.yaml.",
			);
		}
		while (open.length > 0 && open[open.length - 1].indent >= indent) open.pop();
		const key = [...open.map((one) => one.key), match[1]].join(".");
		if (match[2] === undefined) open.push({ indent, key: match[1] });
		else found.set(key, scalar(match[2]));
	}
	return found;
}

/** A scalar without its quotes, or the one item of a list. */
function scalar(text: string): string {
	const inner = /^\[\s*([^,]*?)\s*\]$/.exec(text.trim())?.[1] ?? text.trim();
	return /^(["']).*\1$/.test(inner) ? inner.slice(1, -1) : inner;
}

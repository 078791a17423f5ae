import { SyncHumanError } from "../../engine/error.ts";
import { generateArguments } from "../arguments.ts";
import type { OptionValues } from "../optionValues.ts";
import { HttpError } from "./httpError.ts";
import type { JobOptions } from "./jobRecord.ts";
import { isJobId } from "./jobStore.ts";

/** What POST /generate was asked for. */
export interface GenerateForm {
	readonly options: JobOptions;
	/** Bytes of the field `image`. */
	readonly image: Uint8Array | undefined;
	readonly imageUrl: string | undefined;
	/** The job whose stage 1 is gone on from. */
	readonly source: string | undefined;
	/** What the answer is, once the job has ended; undefined: its record, at once. */
	readonly download: "glb" | "zip" | "json" | undefined;
}

/** Fields that are options of `synchuman generate`, and their names there. */
const optionFields = Object.freeze({
	stage1_steps: "steps",
	stage2_steps: "stage2-steps",
	seed: "seed",
	guidance: "guidance",
	background: "background",
	preset: "preset",
	texture_size: "texture-size",
	simplify: "simplify",
	texture_effort: "texture-effort",
	face_texels: "face-texels",
	texture_format: "texture-format",
	height: "height",
	mesh_format: "mesh-format",
});

/** The same, where it is on or off. */
const switchFields = Object.freeze({ normal_map: "normal-map", unlit: "unlit", compress: "compress" });

/** Fields that are no options of a run. `graceful_fallback` is accepted and means nothing: no stage has another one to fall back to. */
const otherFields = ["image", "image_url", "stage", "stage1_only", "graceful_fallback", "job_id", "download", "format"] as const;

const stages = Object.freeze({ both: "both", stage1: "1", stage2: "2" } as const);

/** Reads the body of POST /generate. Throws codes "multipart" and "input"; the places of files in the messages are names of fields. */
export async function readGenerateForm(request: Request): Promise<GenerateForm> {
	const type = request.headers.get("content-type") ?? "";
	if (!/^multipart\/form-data\s*;/i.test(type)) {
		throw new HttpError("multipart", "The body must be multipart/form-data.", "With curl: -F image=@photo.png");
	}
	let form: FormData;
	try {
		form = await request.formData();
	} catch (error) {
		if (error instanceof HttpError) throw error;
		if ((error as Error).name === "BodyLimitError") throw error;
		throw new HttpError("multipart", "The body is no whole multipart form.", "With curl: -F image=@photo.png");
	}
	const texts: Record<string, string> = {};
	let image: Uint8Array | undefined;
	let seen = 0;
	for (const [name, value] of form) {
		if (++seen > 64) throw refused("has more than 64 fields");
		if (!known(name)) throw refused(`has a field ${JSON.stringify(name.slice(0, 40))}, which there is not`);
		if (Object.hasOwn(texts, name) || (name === "image" && image !== undefined)) throw refused(`has ${name} twice`);
		if (name === "image") {
			if (typeof value === "string") throw refused("has image as text; it must be a file", "With curl: -F image=@photo.png");
			image = new Uint8Array(await value.arrayBuffer());
		} else if (typeof value !== "string") throw refused(`has ${name} as a file; it must be text`);
		else if (value.length > 4096) throw refused(`has ${name} with more than 4096 characters`);
		else if (value !== "") texts[name] = value;
	}
	return checkedForm(texts, image);
}

function checkedForm(texts: Readonly<Record<string, string>>, image: Uint8Array | undefined): GenerateForm {
	const only = onOff("stage1_only", texts.stage1_only);
	onOff("graceful_fallback", texts.graceful_fallback);
	const name = texts.stage ?? (only ? "stage1" : "both");
	const stage = Object.hasOwn(stages, name) ? stages[name as keyof typeof stages] : undefined;
	if (stage === undefined) throw refused(`has stage ${JSON.stringify(name)}; it must be both, stage1 or stage2`);
	if (only && stage !== "1") throw refused(`has stage1_only with stage ${name}`);
	const { image_url: imageUrl, job_id: source } = texts;
	const given = [image !== undefined && "image", imageUrl !== undefined && "image_url", source !== undefined && "job_id"].filter(Boolean);
	const wanted = stage === "2" ? "job_id, of a job whose stage 1 is done" : "image";
	if (given.length > 1) throw refused(`has ${given.join(" and ")}; one of them is meant`);
	if (given.length === 0) throw refused(`lacks ${wanted}`, "With curl: -F image=@photo.png");
	if ((stage === "2") !== (source !== undefined)) throw refused(`has ${given[0]} for stage ${name}; that takes ${wanted}`);
	if (source !== undefined && !isJobId(source)) throw new HttpError("not-found", "job_id: there is no such job.");
	const download = downloadOf(texts);
	if (download === "glb" && stage === "1") throw refused("has download=glb, and stage 1 makes no GLB", "Ask for zip or json.");
	return { options: runOptions(texts, stage), image, imageUrl, source, download };
}

/** The options of the run, read by the command line's own rules. */
function runOptions(texts: Readonly<Record<string, string>>, stage: JobOptions["stage"]): JobOptions {
	const values: Record<string, OptionValues[string]> = { output: ".", stage };
	for (const [field, option] of Object.entries(optionFields)) if (texts[field] !== undefined) values[option] = texts[field];
	for (const [field, option] of Object.entries(switchFields)) if (onOff(field, texts[field])) values[option] = true;
	try {
		const all = generateArguments({ command: "generate", operands: ["image"], values });
		const { image, output, weights, dtype, adapter, maxMemory, json, ...options } = all;
		return options;
	} catch (error) {
		if (!(error instanceof SyncHumanError)) throw error;
		const fields = Object.entries({ ...optionFields, ...switchFields });
		const named = error.message.replace(/--([a-z0-9-]+)/g, (text, option) => fields.find(([, one]) => one === option)?.[0] ?? text);
		throw new SyncHumanError("input", named, "See /docs.");
	}
}

/** Both documented meanings: true is a ZIP (or what `format` says), and a name is that. */
function downloadOf({ download, format }: Readonly<Record<string, string>>): GenerateForm["download"] {
	const named = (field: string, value: string) => {
		if (value === "glb" || value === "zip" || value === "json") return value;
		throw refused(`has ${field} ${JSON.stringify(value)}; it must be glb, zip or json${field === "download" ? ", or true or false" : ""}`);
	};
	const as = format === undefined ? undefined : named("format", format);
	const wanted = download?.toLowerCase();
	if (wanted === undefined) return as;
	if (["true", "1", "false", "0"].includes(wanted)) return onOff("download", wanted) ? (as ?? "zip") : undefined;
	return named("download", wanted);
}

function onOff(name: string, value: string | undefined): boolean {
	if (value === undefined) return false;
	if (/^(true|1|on|yes)$/i.test(value)) return true;
	if (/^(false|0|off|no)$/i.test(value)) return false;
	throw refused(`has ${name} ${JSON.stringify(value.slice(0, 40))}; it must be true or false`);
}

function known(name: string): boolean {
	return Object.hasOwn(optionFields, name) || Object.hasOwn(switchFields, name) || otherFields.some((one) => one === name);
}

function refused(problem: string, hint = "See /docs."): SyncHumanError {
	return new SyncHumanError("input", `The form ${problem}.`, hint);
}

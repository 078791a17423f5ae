import { defaults, type PresetName } from "../../../engine/defaults.ts";
import { byId, element, icon } from "./element.ts";
import type { Job } from "./jobs.ts";
import { ask, ServerError, setToken } from "./server.ts";

/** Kinds of pictures that the server reads. */
const kinds = ["image/png", "image/jpeg", "image/webp"];

/** Makes the form work: a picture by drop, choice or paste, and the options; `made` is called with every new job. */
export function jobForm(made: (job: Job) => void): void {
	const form = byId("form", HTMLFormElement);
	const image = byId("image", HTMLInputElement);
	const message = byId("message", HTMLElement);
	const make = byId("make", HTMLButtonElement);
	const stage = form.elements.namedItem("stage") as HTMLSelectElement;
	fillOptions();
	pictureInput(image, (problem) => {
		message.textContent = problem;
	});
	const name = () => {
		make.textContent = stage.value === "both" ? "Make the model" : "Make the views";
	};
	stage.addEventListener("change", name);
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		make.disabled = true;
		make.textContent = "Sending …";
		message.textContent = "";
		try {
			made(await ask<Job>("/generate", { method: "POST", body: formOf(form) }));
		} catch (error) {
			message.textContent = (error as Error).message;
			if (error instanceof ServerError && error.status === 401) askForToken();
		}
		make.disabled = false;
		name();
	});
}

/** Shows the field of the token; `given` is called when it is filled in. */
export function askForToken(given?: () => void): void {
	byId("tokenLabel", HTMLElement).hidden = false;
	const field = byId("token", HTMLInputElement);
	field.onchange = () => {
		setToken(field.value.trim());
		given?.();
	};
}

/** The fields as the server wants them: none that has no meaning there. */
function formOf(form: HTMLFormElement): FormData {
	const data = new FormData(form);
	// Effort is the texture's, steps of the model a model's.
	if (data.get("texture_size") === "0") data.delete("texture_effort");
	return data;
}

/** Choices and defaults come from the engine's own. */
function fillOptions(): void {
	const presets = byId("presets", HTMLElement);
	const [viewSteps, modelSteps] = [byId("viewSteps", HTMLInputElement), byId("modelSteps", HTMLInputElement)];
	const choose = (name: PresetName) => {
		viewSteps.placeholder = String(defaults.presets[name].steps);
		modelSteps.placeholder = String(defaults.presets[name].stageTwoSteps);
	};
	for (const [name, { steps, stageTwoSteps }] of Object.entries(defaults.presets)) {
		const isDefault = name === defaults.preset;
		presets.append(
			element(
				"label",
				{},
				element("input", { type: "radio", name: "preset", value: name, checked: isDefault, onchange: () => choose(name as PresetName) }),
				element("span", {}, `${name[0].toUpperCase()}${name.slice(1)}`, element("small", {}, `${steps} + ${stageTwoSteps} steps`)),
			),
		);
		if (isDefault) choose(name as PresetName);
	}
	const texture = byId("textureSize", HTMLSelectElement);
	const effort = byId("effort", HTMLSelectElement);
	texture.append(element("option", { value: "0" }, "None: coloured points"));
	const [smallest, largest] = defaults.textureSizes;
	for (let size: number = smallest; size <= largest; size *= 2) {
		texture.append(element("option", { value: size, selected: size === defaults.textureSize }, `${size.toLocaleString("en")} pixels`));
	}
	texture.addEventListener("change", () => {
		effort.disabled = texture.value === "0";
	});
	const seed = byId("seed", HTMLInputElement);
	seed.value = String(defaults.seed);
	byId("dice", HTMLButtonElement).addEventListener("click", () => {
		seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
	});
	byId("guidance", HTMLInputElement).placeholder = String(defaults.guidance);
}

/** The field of the picture with its zone: the whole window takes drops, and pasted pictures count too. */
function pictureInput(input: HTMLInputElement, refuse: (problem: string) => void): void {
	const zone = byId("drop", HTMLElement);
	const shown = byId("dropPicture", HTMLElement);
	const text = byId("dropText", HTMLElement);
	shown.append(icon("picture"));
	let url: string | undefined;
	const show = () => {
		const [file] = input.files ?? [];
		if (file === undefined) return;
		refuse("");
		if (url !== undefined) URL.revokeObjectURL(url);
		url = URL.createObjectURL(file);
		shown.replaceChildren(element("img", { src: url, alt: "" }));
		zone.classList.add("filled");
		text.replaceChildren(element("strong", {}, file.name), element("small", {}, `${sizeText(file.size)} · choose another`));
	};
	const take = (list: Iterable<File> | undefined) => {
		const files = [...(list ?? [])];
		const file = files.find(({ type }) => kinds.includes(type));
		if (file === undefined) {
			if (files.length > 0) refuse("That is no PNG, JPEG or WebP picture.");
			return;
		}
		const given = new DataTransfer();
		given.items.add(file);
		input.files = given.files;
		show();
	};
	input.addEventListener("change", show);
	let inside = 0;
	const over = (event: DragEvent, change: number) => {
		if (!event.dataTransfer?.types.includes("Files")) return;
		event.preventDefault();
		inside = Math.max(0, inside + change);
		document.body.classList.toggle("dropping", inside > 0);
	};
	addEventListener("dragenter", (event) => over(event, 1));
	addEventListener("dragover", (event) => over(event, 0));
	addEventListener("dragleave", (event) => over(event, -1));
	addEventListener("drop", (event) => {
		over(event, -inside);
		take(event.dataTransfer?.files);
	});
	addEventListener("paste", (event) => take(event.clipboardData?.files));
}

/** Such as "2.4 MB". */
function sizeText(bytes: number): string {
	if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
	return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

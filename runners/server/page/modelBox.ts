import { element, icon } from "./element.ts";
import { filePath, type Job } from "./jobs.ts";
import type { ModelViewer, ViewerMode } from "./modelViewer.ts";
import { bytesOf } from "./server.ts";

const modes: readonly (readonly [ViewerMode, string])[] = [
	["texture", "Texture"],
	["clay", "Clay"],
	["normals", "Normals"],
	["splats", "Splats"],
];

/** The model of a finished job, to be turned and looked at. */
export interface ModelBox {
	readonly node: HTMLElement;
	close(): void;
}

/** Makes it; three.js and the GLB are fetched now, the Gaussians when somebody wants to see them. */
export function modelBox(job: Job, glb: string): ModelBox {
	const canvas = element("div", { class: "canvas" });
	const note = element("p", { class: "note", role: "status" }, "Loading the model …");
	const gaussians = filePath(job, "stage2/gaussians.ply");
	let viewer: ModelViewer | undefined;
	let closed = false;
	let splats: Promise<void> | undefined;
	const tell = (text: string) => {
		note.textContent = text;
		note.hidden = text === "";
	};
	const loading = (what: string) => (share: number) => tell(`${what} ${Math.round(share * 100)} %`);

	const show = async (mode: ViewerMode) => {
		try {
			if (mode === "splats" && gaussians !== undefined) {
				splats ??= bytesOf(gaussians, loading("Loading the splats …")).then((ply) => viewer?.setSplats(ply));
				await splats;
				tell("");
			}
			viewer?.show(mode);
			canvas.dataset.mode = mode;
		} catch (error) {
			splats = undefined;
			tell(`The splats cannot be shown: ${(error as Error).message}`);
		}
	};
	const switches = element(
		"fieldset",
		{ class: "segments small", disabled: true },
		element("legend", { class: "unseen" }, "Show the model as"),
	);
	for (const [mode, text] of modes) {
		if (mode === "splats" && gaussians === undefined) continue;
		const input = element("input", {
			type: "radio",
			name: "mode",
			value: mode,
			checked: mode === "texture",
			onchange: () => void show(mode),
		});
		switches.append(element("label", {}, input, element("span", {}, text)));
	}
	const tool = (name: string, label: string, act: (button: HTMLButtonElement) => void) => {
		const button = element("button", { type: "button", class: "tool", title: label, "aria-label": label, disabled: true }, icon(name));
		button.addEventListener("click", () => act(button));
		return button;
	};
	const turning = tool("turn", "Turn by itself", (button) => {
		const on = button.getAttribute("aria-pressed") !== "true";
		button.setAttribute("aria-pressed", String(on));
		viewer?.turn(on);
	});
	turning.setAttribute("aria-pressed", "false");
	const tools = [
		turning,
		tool("front", "View from the front", () => viewer?.reset()),
		tool("full", "Full screen", () => {
			if (document.fullscreenElement === null) void node.requestFullscreen();
			else void document.exitFullscreen();
		}),
	];
	const node = element(
		"section",
		{ class: "model", "aria-label": "Model" },
		canvas,
		note,
		switches,
		element("div", { class: "tools" }, ...tools),
	);

	const open = async () => {
		try {
			const [{ modelViewer }, file] = await Promise.all([import("./modelViewer.ts"), bytesOf(glb, loading("Loading the model …"))]);
			if (closed) return;
			viewer = modelViewer();
			canvas.append(viewer.canvas);
			await viewer.setMesh(file);
			tell("");
			canvas.dataset.mode = "texture";
			switches.disabled = false;
			for (const button of tools) button.disabled = false;
		} catch (error) {
			tell(`The model cannot be shown here: ${(error as Error).message}`);
		}
	};
	void open();
	return {
		node,
		close() {
			closed = true;
			viewer?.dispose();
		},
	};
}

import { element, icon } from "./element.ts";
import { timeOf } from "./jobList.ts";
import { filePath, hasEnded, type Job } from "./jobs.ts";
import { type ModelBox, modelBox } from "./modelBox.ts";
import { ask, save, token } from "./server.ts";
import { type EndedRun, expectedParts, phaseOf, phases, standing, timeText } from "./timeLeft.ts";
import { viewTiles } from "./viewTiles.ts";

/** What the panel asks of the page around it. */
export interface PanelActions {
	/** What an earlier run of this server took. */
	readonly earlier: () => EndedRun | undefined;
	/** A new job was made from this one. */
	readonly made: (job: Job) => void;
	/** The job was removed. */
	readonly removed: () => void;
	/** Says something to those who listen to the page. */
	readonly announce: (text: string) => void;
}

/** One job, from waiting to its model. */
export interface JobPanel {
	readonly node: HTMLElement;
	update(job: Job): void;
	close(): void;
}

/** Makes the panel of a job. */
export function jobPanel(first: Job, actions: PanelActions): JobPanel {
	const state = element("p", { class: "stateText" });
	const phaseItems = phases.map(({ title }) => element("li", {}, element("span", { class: "track" }, element("span")), title));
	const progressBar = { role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 };
	const running = element("div", progressBar, element("ol", { class: "phases" }, ...phaseItems));
	const problem = element("div", { class: "problem", hidden: true });
	const buttons = element("div", { class: "actions" });
	const model = element("div");
	const tiles = viewTiles();
	const downloads = element("section", { class: "downloads", "aria-label": "Downloads" });
	const figures = element("dl", { class: "figures" });
	const node = element(
		"article",
		{ class: "job" },
		element("header", { class: "jobHead" }, element("div", {}, element("h2", {}, timeOf(first.created_at)), state), buttons),
		running,
		problem,
		model,
		tiles.node,
		downloads,
		figures,
	);
	let box: ModelBox | undefined;
	let told = "";
	let final = "";

	const act = (text: string, work: () => Promise<void>, style = "quiet") => {
		const button = element("button", { type: "button", class: style }, text);
		button.addEventListener("click", async () => {
			button.disabled = true;
			try {
				await work();
			} catch (error) {
				show(problem, (error as Error).message);
			}
			button.disabled = false;
		});
		return button;
	};

	const updateRunning = (job: Job) => {
		const { progress, position } = job;
		const measured = actions.earlier();
		const { share, phaseShare, secondsLeft } =
			progress === null
				? { share: 0, phaseShare: 0, secondsLeft: undefined }
				: standing(progress, expectedParts(job, measured), measured !== undefined);
		const phase = progress === null ? -1 : phaseOf(progress.part);
		phaseItems.forEach((item, i) => {
			item.hidden = (i >= 2 && job.stage === "stage1") || (i < 2 && job.stage === "stage2");
			item.className = i < phase ? "past" : i === phase ? "now" : "";
			const filling = item.querySelector<HTMLElement>(".track > span");
			if (filling !== null) filling.style.width = i < phase ? "100%" : i > phase ? "0" : `${(100 * phaseShare).toFixed(1)}%`;
		});
		running.setAttribute("aria-valuenow", String(Math.round(share * 100)));
		const count = progress !== null && progress.steps > 1 ? `, step ${progress.step} of ${progress.steps}` : "";
		const left = secondsLeft === undefined ? "" : ` · ${timeText(secondsLeft)}`;
		if (job.stopping) state.textContent = "Stopping after the step it is in …";
		else if (position !== null) state.textContent = position === 1 ? "Next in line" : `Waiting, ${position} in line`;
		else if (progress === null) state.textContent = "Starting …";
		else state.textContent = `${phases[phase].title}${count}${left}`;
		const said = phase < 0 ? "" : `${phases[phase].title} …`;
		if (said !== told) actions.announce(said);
		told = said;
	};

	const updateEnded = (job: Job) => {
		if (job.status === "done") state.textContent = doneText(job);
		else if (job.status === "cancelled") state.textContent = "Cancelled.";
		else state.textContent = "This did not work.";
		actions.announce(state.textContent);
		if (job.error !== null) show(problem, job.error.message, job.error.hint ?? undefined);
		if (job.links.glb !== undefined) {
			box = modelBox(job, job.links.glb);
			model.replaceChildren(box.node);
		}
		fillDownloads(downloads, job);
		fillFigures(figures, job);
		const again = filePath(job, "stage1/latent.npz") !== undefined && job.links.glb === undefined;
		buttons.replaceChildren(
			...(again ? [act("Make the model from these views", async () => actions.made(await goOn(job)), "primary")] : []),
			removeButton(async () => {
				await ask(job.links.self, { method: "DELETE" });
				actions.removed();
			}),
		);
	};

	return {
		node,
		update(job) {
			const ended = hasEnded(job);
			node.dataset.status = job.status;
			running.hidden = ended;
			tiles.update(job);
			tiles.node.hidden = (job.stage === "stage2" && !ended) || (ended && filePath(job, "stage1/color_0.png") === undefined);
			if (!ended) {
				updateRunning(job);
				if (buttons.childElementCount === 0) {
					const cancel = act("Cancel", async () => void (await ask(job.links.self, { method: "DELETE" })));
					cancel.id = "cancel";
					buttons.append(cancel);
				}
			} else if (final !== job.status) {
				final = job.status;
				updateEnded(job);
			}
		},
		close() {
			box?.close();
		},
	};

	function removeButton(remove: () => Promise<void>): HTMLButtonElement {
		let sure = false;
		const button = act("Remove", async () => {
			if (sure) return remove();
			sure = true;
			button.textContent = "Really remove?";
			button.classList.add("danger");
		});
		button.addEventListener("blur", () => {
			sure = false;
			button.textContent = "Remove";
			button.classList.remove("danger");
		});
		return button;
	}
}

function show(place: HTMLElement, message: string, hint?: string): void {
	place.hidden = false;
	place.replaceChildren(element("strong", {}, message), ...(hint === undefined ? [] : [element("span", {}, hint)]));
}

/** A new job that goes on from the views of another one, with its choices. */
function goOn(job: Job): Promise<Job> {
	const body = new FormData();
	const { stage2_steps, seed, texture_size } = job.options;
	const source =
		job.stage === "stage2" ? (/^\/jobs\/([0-9a-f]+)\//.exec(job.result.stage1.output_dir ?? "")?.[1] ?? job.job_id) : job.job_id;
	for (const [name, value] of Object.entries({ stage: "stage2", job_id: source, stage2_steps, seed, texture_size }))
		body.set(name, String(value));
	return ask<Job>("/generate", { method: "POST", body });
}

function doneText({ result, started_at, finished_at }: Job): string {
	const seconds = (Date.parse(finished_at ?? "") - Date.parse(started_at ?? "")) / 1000;
	const took = Number.isFinite(seconds) ? ` in ${seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`}` : "";
	return `${result.stage2.status === "done" ? "Model" : "Views"} made${took}.`;
}

function fillDownloads(place: HTMLElement, job: Job): void {
	const link = (path: string | undefined, text: string, about: string) => {
		if (path === undefined) return [];
		const name = path.endsWith("results.zip") ? `synchuman-${job.job_id.slice(0, 8)}.zip` : (path.split("/").at(-1) as string);
		const made = element(
			"a",
			{ class: "download", href: path, download: name },
			icon("download"),
			element("strong", {}, text),
			element("small", {}, about),
		);
		made.addEventListener("click", (event) => {
			if (token() === "") return;
			event.preventDefault();
			void save(path, name);
		});
		return [made];
	};
	const { glb, zip, preview } = job.links;
	place.replaceChildren(
		...link(glb, "GLB", "Textured mesh, for Blender, game engines, the web"),
		...link(filePath(job, "stage2/gaussians.ply"), "PLY", "3D Gaussians, for splat viewers"),
		...link(preview, "Preview", "One picture with four sides"),
		...link(filePath(job, "stage1/concat.png"), "Views", "Colours and normals in one row"),
		...link(zip, "ZIP", "Everything"),
	);
	place.hidden = place.childElementCount === 0;
}

function fillFigures(place: HTMLElement, { options, result }: Job): void {
	const number = (value: unknown) => (typeof value === "number" ? value.toLocaleString("en") : undefined);
	const rows: readonly (readonly [string, string | undefined])[] = [
		["Vertices", number(result.vertices)],
		["Faces", number(result.faces)],
		["Gaussians", number(result.gaussians)],
		["Voxels", number(result.voxels)],
		["Seed", String(options.seed)],
		[
			"Texture",
			result.stage2.status !== "done" ? undefined : options.texture_size === 0 ? "none" : `${number(options.texture_size)} pixels`,
		],
	];
	place.replaceChildren(
		...rows.flatMap(([name, value]) =>
			value === undefined ? [] : [element("div", {}, element("dt", {}, name), element("dd", {}, value))],
		),
	);
	if (result.syntheticGeometry === true) {
		place.append(
			element(
				"p",
				{ class: "soft" },
				"Made with synthetic weights: numbers, no trained model. It shows that everything runs, not what it can do.",
			),
		);
	}
}

import { byId, element, icon } from "./element.ts";
import { filePath, hasEnded, type Job } from "./jobs.ts";
import { showPicture } from "./server.ts";

/** Jobs of the list that are shown before somebody asks for more. */
const shownAtFirst = 12;

const words: Readonly<Record<Job["status"], string>> = Object.freeze({
	queued: "Waiting",
	running: "Running",
	done: "Done",
	failed: "Failed",
	cancelled: "Cancelled",
});

/** A row of the list and what of it changes. */
interface Row {
	readonly item: HTMLLIElement;
	update(job: Job, isSelected: boolean): void;
}

/** The history: a function that shows the jobs, newest first. */
export function jobList(): (jobs: readonly Job[], selected: string | undefined) => void {
	const list = byId("jobs", HTMLUListElement);
	const none = byId("noJobs", HTMLElement);
	const rows = new Map<string, Row>();
	let all = false;
	let last: [readonly Job[], string | undefined] = [[], undefined];
	const more = element(
		"button",
		{
			type: "button",
			class: "quiet more",
			onclick: () => {
				all = true;
				show(...last);
			},
		},
		"Show all",
	);
	const show = (jobs: readonly Job[], selected: string | undefined): void => {
		last = [jobs, selected];
		none.hidden = jobs.length > 0;
		const shown = jobs.filter(({ job_id }, i) => all || i < shownAtFirst || job_id === selected);
		const ids = new Set(shown.map(({ job_id }) => job_id));
		for (const [id, { item }] of rows) {
			if (ids.has(id)) continue;
			item.remove();
			rows.delete(id);
		}
		shown.forEach((job, i) => {
			const found = rows.get(job.job_id) ?? row(job);
			rows.set(job.job_id, found);
			found.update(job, job.job_id === selected);
			if (list.children[i] !== found.item) list.insertBefore(found.item, list.children[i] ?? null);
		});
		if (shown.length < jobs.length) list.after(more);
		else more.remove();
	};
	return show;
}

function row({ job_id, created_at }: Job): Row {
	const thumbnail = element("span", { class: "thumbnail" }, icon("picture"));
	const state = element("span", { class: "state" });
	const about = element("span", { class: "soft" });
	const bar = element("span", { class: "thinBar", hidden: true }, element("span"));
	const link = element(
		"a",
		{ href: `#/jobs/${job_id}` },
		thumbnail,
		element("span", { class: "rowText" }, element("strong", {}, timeOf(created_at)), about, bar),
		state,
	);
	let pictured = false;
	const picture = async (job: Job) => {
		const path = filePath(job, "stage1/color_0.png");
		if (pictured || path === undefined) return;
		pictured = true;
		const image = element("img", { alt: "", width: 48, height: 48 });
		await showPicture(image, path).then(
			() => thumbnail.replaceChildren(image),
			() => undefined,
		);
	};
	return {
		item: element("li", {}, link),
		update(job, isSelected) {
			link.toggleAttribute("aria-current", isSelected);
			if (isSelected) link.setAttribute("aria-current", "page");
			state.textContent = job.stopping && !hasEnded(job) ? "Stopping" : words[job.status];
			state.dataset.status = job.status;
			const { stage1_steps, stage2_steps, seed } = job.options;
			const steps =
				job.stage === "stage1" ? `${stage1_steps}` : job.stage === "stage2" ? `${stage2_steps}` : `${stage1_steps} + ${stage2_steps}`;
			about.textContent = `${job.stage === "stage1" ? "Views, " : ""}${steps} steps, seed ${seed}`;
			bar.hidden = job.status !== "running";
			const { step = 0, steps: of = 1 } = job.progress ?? {};
			(bar.firstElementChild as HTMLElement).style.width = `${(100 * step) / of}%`;
			void picture(job);
		},
	};
}

/** Such as "20:41", on other days with the date. */
export function timeOf(iso: string): string {
	const time = new Date(iso);
	const clock = time.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
	if (time.toDateString() === new Date().toDateString()) return `Today, ${clock}`;
	return `${time.toLocaleDateString([], { day: "numeric", month: "short" })}, ${clock}`;
}

import { byId, element, icon } from "./element.ts";
import { askForToken, jobForm } from "./jobForm.ts";
import { jobList } from "./jobList.ts";
import { type JobPanel, jobPanel } from "./jobPanel.ts";
import { filePath, hasEnded, type Job } from "./jobs.ts";
import { ask, changesOf, ServerError } from "./server.ts";
import { chooseTheme } from "./theme.ts";
import type { EndedRun } from "./timeLeft.ts";

// The page at /: a form, the history of jobs, and the job that the address names (#/jobs/ID). Everything that the server says is set as text.

/** Milliseconds between looks at all jobs. */
const lookMs = 3000;

const stage = byId("stage", HTMLElement);
const announcer = byId("announcer", HTMLElement);
const showList = jobList();
let jobs: readonly Job[] = [];
let open: { readonly id: string; readonly panel: JobPanel; readonly watching: AbortController } | undefined;
let earlier: { readonly id: string; readonly run: EndedRun } | undefined;

const selected = () => /^#\/jobs\/([0-9a-f]{32})$/.exec(location.hash)?.[1];
const announce = (text: string) => {
	announcer.textContent = text;
};

function go(job: Job | undefined): void {
	location.hash = job === undefined ? "#/" : `#/jobs/${job.job_id}`;
}

/** Takes what is known of a job now, in the list too. */
function take(job: Job): void {
	const known = jobs.some(({ job_id }) => job_id === job.job_id);
	jobs = known ? jobs.map((one) => (one.job_id === job.job_id ? job : one)) : [job, ...jobs];
	showList(jobs, selected());
	if (open?.id === job.job_id) open.panel.update(job);
}

async function watch(job: Job, { signal }: AbortController): Promise<void> {
	while (!signal.aborted) {
		try {
			for await (const now of changesOf(job, signal)) {
				if (signal.aborted) return;
				take(now);
				if (hasEnded(now)) return;
			}
		} catch {
			// Asked for again below; what lasts, the looks at all jobs say.
		}
		await new Promise((resolve) => setTimeout(resolve, lookMs));
	}
}

/** Shows what the address names. */
function show(): void {
	const id = selected();
	document.body.dataset.page = id === undefined ? "start" : "job";
	showList(jobs, id);
	if (open?.id === id && id !== undefined) return;
	open?.watching.abort();
	open?.panel.close();
	open = undefined;
	const job = jobs.find(({ job_id }) => job_id === id);
	if (job === undefined) {
		stage.replaceChildren(id === undefined ? welcome() : element("p", { class: "welcome" }, "This model is not there, or not any more."));
		return;
	}
	const panel = jobPanel(job, {
		earlier: () => earlier?.run,
		made: (made) => {
			take(made);
			go(made);
		},
		removed: () => {
			jobs = jobs.filter((one) => one.job_id !== job.job_id);
			go(undefined);
		},
		announce,
	});
	open = { id: job.job_id, panel, watching: new AbortController() };
	stage.replaceChildren(panel.node);
	panel.update(job);
	if (!hasEnded(job)) void watch(job, open.watching);
}

function welcome(): HTMLElement {
	const steps = [
		"Your photo is cut out and read",
		"Five views are painted: front, right, back, left, face",
		"A body is shaped from them, and textured",
	];
	return element(
		"div",
		{ class: "welcome" },
		icon("picture"),
		element("h2", {}, "Your model appears here"),
		element("ol", {}, ...steps.map((text) => element("li", {}, text))),
	);
}

/** Looks at all jobs, and at what the last one took. */
async function look(): Promise<void> {
	try {
		const known = jobs;
		const answer = await ask<{ readonly jobs: readonly Job[] }>("/jobs");
		// What was learned meanwhile, by another way, is newer.
		if (jobs === known) jobs = answer.jobs;
		document.body.classList.remove("offline");
		// After a start, and where a job that was not known is asked for.
		if (open === undefined && selected() !== undefined) show();
		else showList(jobs, selected());
		const shown = jobs.find(({ job_id }) => job_id === open?.id);
		if (shown !== undefined) open?.panel.update(shown);
		const last = jobs.find((job) => job.status === "done" && job.stage === "both" && filePath(job, "run.json") !== undefined);
		if (last !== undefined && last.job_id !== earlier?.id) {
			earlier = { id: last.job_id, run: await ask<EndedRun>(filePath(last, "run.json") as string) };
		}
	} catch (error) {
		if (error instanceof ServerError && error.status === 401) askForToken(() => void start());
		else document.body.classList.add("offline");
	}
}

/** Which GPUs do the work, and how many jobs wait for them. */
async function tellMachine(): Promise<void> {
	const { workers, queue } = await ask<{
		readonly workers: readonly { readonly device: string; readonly software: boolean }[];
		readonly queue: { readonly waiting: number };
	}>("/info");
	const [first, ...others] = workers;
	const waiting = queue.waiting > 0 ? ` · ${queue.waiting} waiting` : "";
	const cards = first === undefined ? "No worker is there" : `${first.device}${first.software ? " (software, slow)" : ""}`;
	byId("machine", HTMLElement).textContent = `${cards}${others.length > 0 ? ` and ${others.length} more` : ""}${waiting}`;
}

async function start(): Promise<void> {
	await look();
	// Where it cannot be told, the look has said why.
	await tellMachine().catch(() => undefined);
}

chooseTheme(byId("theme", HTMLButtonElement));
jobForm((job) => {
	take(job);
	go(job);
	stage.focus({ preventScroll: true });
});
addEventListener("hashchange", show);
show();
void start();
setInterval(() => {
	if (!document.hidden) void start();
}, lookMs);

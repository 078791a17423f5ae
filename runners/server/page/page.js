// The page at /: sends a picture and shows the jobs. Every text of the server is set as text, never as HTML.
const form = document.querySelector("#form");
const message = document.querySelector("#message");
const list = document.querySelector("#jobs");
const token = document.querySelector("#token");

const headers = () => (token.value === "" ? {} : { Authorization: `Bearer ${token.value}` });

async function ask(path, options = {}) {
	const answer = await fetch(path, { ...options, headers: headers() });
	const body = await answer.json();
	if (answer.status === 401) document.querySelector("#tokenLabel").hidden = false;
	if (!answer.ok) throw new Error([body.error.message, body.error.hint].filter(Boolean).join(" "));
	return body;
}

/** Files go through fetch, so that they can be had with a token too. */
async function save(path) {
	const answer = await fetch(path, { headers: headers() });
	const link = document.createElement("a");
	link.href = URL.createObjectURL(await answer.blob());
	link.download = path.split("/").at(-1);
	link.click();
	URL.revokeObjectURL(link.href);
}

function button(text, work) {
	const made = document.createElement("button");
	made.textContent = text;
	made.addEventListener("click", () => work().then(show, (error) => tell(error.message)));
	return made;
}

function tell(text) {
	message.textContent = text;
}

function row(job) {
	const item = document.createElement("li");
	const { progress, position, error } = job;
	const at = progress === null ? "" : `: ${progress.part} ${progress.step}/${progress.steps}`;
	const place = position === null ? "" : ` (place ${position})`;
	item.append(`${job.created_at} ${job.status}${place}${at}${error === null ? "" : `: ${error.message}`} `);
	for (const name of ["glb", "zip"]) if (job.links[name]) item.append(button(name, () => save(job.links[name])), " ");
	const ended = ["done", "failed", "cancelled"].includes(job.status);
	item.append(button(ended ? "remove" : "cancel", () => ask(job.links.self, { method: "DELETE" })));
	return item;
}

async function show() {
	const { jobs } = await ask("/jobs");
	list.replaceChildren(...jobs.map(row));
}

form.addEventListener("submit", async (event) => {
	event.preventDefault();
	tell("Sending ...");
	try {
		await ask("/generate", { method: "POST", body: new FormData(form) });
		tell("");
		await show();
	} catch (error) {
		tell(error.message);
	}
});
token.addEventListener("change", () => show().then(() => tell(""), (error) => tell(error.message)));
const refresh = () => show().catch((error) => tell(error.message));
refresh();
setInterval(refresh, 2000);

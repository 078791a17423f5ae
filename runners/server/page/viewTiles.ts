import { element } from "./element.ts";
import { filePath, type Job } from "./jobs.ts";
import { request, showPicture } from "./server.ts";

const names = ["Front", "Right", "Back", "Left", "Face"];

/** The five views of a job: coarse while it runs, then the pictures themselves, as colours or normals. */
export interface ViewTiles {
	readonly node: HTMLElement;
	update(job: Job): void;
}

/** Makes the row of them. */
export function viewTiles(): ViewTiles {
	const tiles = names.map((name) => {
		const canvas = element("canvas", { width: 96, height: 96, "aria-hidden": "true" });
		const image = element("img", { alt: "", hidden: true });
		const figure = element("figure", { class: "tile pending" }, canvas, image, element("figcaption", {}, name));
		return { name, figure, canvas, image };
	});
	let domain: "color" | "normal" = "color";
	let job: Job | undefined;
	const choice = (value: "color" | "normal", text: string) =>
		element(
			"label",
			{},
			element("input", {
				type: "radio",
				name: "domain",
				value,
				checked: value === domain,
				onchange: () => {
					domain = value;
					showFiles();
				},
			}),
			element("span", {}, text),
		);
	const choices = element("fieldset", { class: "segments small", hidden: true }, element("legend", { class: "unseen" }, "Views as"));
	choices.append(choice("color", "Colours"), choice("normal", "Normals"));

	let drawn = "";
	const showPreview = async (path: string) => {
		if (path === drawn) return;
		drawn = path;
		try {
			const strip = await createImageBitmap(await (await request(path)).blob());
			const side = strip.height;
			tiles.forEach(({ canvas, figure }, i) => {
				canvas.width = side;
				canvas.height = side;
				canvas.getContext("2d")?.drawImage(strip, i * side, 0, side, side, 0, 0, side, side);
				figure.classList.remove("pending");
				figure.classList.add("coarse");
			});
		} catch {
			// The job is further already: the next change has other views.
		}
	};
	let shown = "";
	const showFiles = () => {
		if (job === undefined) return;
		const of = job;
		const paths = tiles.map((_, i) => filePath(of, `stage1/${domain}_${i}.png`));
		if (paths.some((path) => path === undefined) || shown === `${of.job_id} ${domain}`) return;
		shown = `${of.job_id} ${domain}`;
		choices.hidden = false;
		tiles.forEach(async ({ image, figure, name }, i) => {
			image.alt = `${name} view, ${domain === "color" ? "colours" : "normals"}`;
			await showPicture(image, paths[i] as string).catch(() => undefined);
			if (image.naturalWidth === 0) return;
			image.hidden = false;
			figure.classList.remove("pending", "coarse");
		});
	};
	return {
		node: element(
			"section",
			{ class: "views", "aria-label": "Views" },
			choices,
			element("div", { class: "tiles" }, ...tiles.map(({ figure }) => figure)),
		),
		update(now) {
			job = now;
			if (now.progress?.views && !now.result.files.some((file) => file.endsWith("/stage1/color_4.png")))
				void showPreview(now.progress.views);
			showFiles();
		},
	};
}

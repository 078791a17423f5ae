import { icon } from "./element.ts";

const themes = ["auto", "light", "dark"] as const;
const names = Object.freeze({ auto: "as the system", light: "light", dark: "dark" });
const key = "synchuman-theme";

/** Makes a button that goes through the colour schemes; the choice is remembered. */
export function chooseTheme(button: HTMLButtonElement): void {
	const set = (theme: (typeof themes)[number]) => {
		document.documentElement.dataset.theme = theme;
		button.replaceChildren(icon(theme));
		button.setAttribute("aria-label", `Colours: ${names[theme]}`);
		button.title = `Colours: ${names[theme]}`;
	};
	let at = Math.max(0, themes.indexOf(localStorage.getItem(key) as (typeof themes)[number]));
	set(themes[at]);
	button.addEventListener("click", () => {
		at = (at + 1) % themes.length;
		localStorage.setItem(key, themes[at]);
		set(themes[at]);
	});
}

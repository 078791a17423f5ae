/** Attributes by name (false and undefined: not there, true: without a value); functions are listeners of the event behind "on". */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/** An element with attributes and children; texts are texts, never HTML. */
export function element<Name extends keyof HTMLElementTagNameMap>(
	name: Name,
	attributes: Attributes = {},
	...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === undefined || value === false) continue;
		if (typeof value === "function") made.addEventListener(key.slice(2), value);
		else made.setAttribute(key, value === true ? "" : String(value));
	}
	made.append(...children);
	return made;
}

/** The element of the page with this id. Throws where it is missing or of another kind. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
	const found = document.getElementById(id);
	if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} "${id}"`);
	return found;
}

/** A line icon from icons.svg, 20 pixels unless the style says otherwise. */
export function icon(name: string): SVGSVGElement {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
	use.setAttribute("href", `/page/icons.svg#${name}`);
	svg.setAttribute("class", "icon");
	svg.setAttribute("aria-hidden", "true");
	svg.append(use);
	return svg;
}

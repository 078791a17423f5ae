import { byId, element } from "./element.ts";

// The page at /docs: shows /openapi.json.

/** A field of a form. */
interface Field {
	readonly type?: string;
	readonly enum?: readonly string[];
	readonly format?: string;
	readonly default?: unknown;
	readonly description?: string;
}

/** What is read of the document. */
interface OpenApi {
	readonly info: { readonly description: string; readonly version: string };
	readonly paths: Readonly<
		Record<
			string,
			Readonly<
				Record<
					string,
					{
						readonly summary: string;
						readonly requestBody?: {
							readonly content: Readonly<Record<string, { readonly schema: { readonly properties: Readonly<Record<string, Field>> } }>>;
						};
						readonly responses: Readonly<Record<string, { readonly description: string }>>;
					}
				>
			>
		>
	>;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
	const row = (kind: "th" | "td", cells: readonly string[]) => element("tr", {}, ...cells.map((text) => element(kind, {}, text)));
	const made = element("table", {}, element("thead", {}, row("th", head)), element("tbody", {}, ...rows.map((cells) => row("td", cells))));
	return element("div", { class: "scroll" }, made);
}

const valuesOf = (field: Field) => (field.enum ? field.enum.join(", ") : field.format === "binary" ? "file" : (field.type ?? ""));

const { info, paths } = (await (await fetch("/openapi.json")).json()) as OpenApi;
byId("about", HTMLElement).textContent = `${info.description} Version ${info.version}.`;
const main = byId("paths", HTMLElement);
for (const [path, methods] of Object.entries(paths)) {
	for (const [method, { summary, requestBody, responses }] of Object.entries(methods)) {
		main.append(element("h2", {}, element("code", {}, `${method.toUpperCase()} ${path}`)), element("p", {}, `${summary}.`));
		const fields = requestBody?.content["multipart/form-data"].schema.properties;
		if (fields !== undefined) {
			const rows = Object.entries(fields).map(([name, field]) => [
				name,
				valuesOf(field),
				String(field.default ?? ""),
				field.description ?? "",
			]);
			main.append(table(["field", "value", "default", ""], rows));
		}
		main.append(
			table(
				["status", ""],
				Object.entries(responses).map(([status, { description }]) => [status, description]),
			),
		);
	}
}

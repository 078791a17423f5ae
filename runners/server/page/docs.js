// The page at /docs: shows /openapi.json.
function element(name, text, ...children) {
	const made = document.createElement(name);
	made.append(text, ...children);
	return made;
}

function table(head, rows) {
	const made = element("table", "");
	made.append(element("tr", "", ...head.map((text) => element("th", text))));
	for (const cells of rows) made.append(element("tr", "", ...cells.map((text) => element("td", text))));
	return made;
}

const { info, paths } = await (await fetch("/openapi.json")).json();
document.querySelector("#about").textContent = `${info.description} Version ${info.version}.`;
const main = document.querySelector("#paths");
for (const [path, methods] of Object.entries(paths)) {
	for (const [method, { summary, requestBody, responses }] of Object.entries(methods)) {
		main.append(element("h2", element("code", `${method.toUpperCase()} ${path}`)), element("p", `${summary}.`));
		const fields = requestBody?.content["multipart/form-data"].schema.properties;
		if (fields) {
			const values = (field) => (field.enum ? field.enum.join(", ") : field.format === "binary" ? "file" : field.type);
			main.append(
				table(
					["field", "value", "default", ""],
					Object.entries(fields).map(([name, field]) => [name, values(field), String(field.default ?? ""), field.description ?? ""]),
				),
			);
		}
		main.append(
			table(
				["status", ""],
				Object.entries(responses).map(([status, { description }]) => [status, description]),
			),
		);
	}
}

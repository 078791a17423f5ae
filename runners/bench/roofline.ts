import type { BenchRow } from "./report.ts";

/** What a card can do at most. */
export interface Ceilings {
	/** TFLOP/s of its matrix units, as measured from WGSL. */
	readonly teraflops: number;
	/** TB/s of its memory. */
	readonly terabytes: number;
}

/** Ceilings of cards that were measured (docs/design.md), by a part of the adapter's name. */
const measured: Readonly<Record<string, Ceilings>> = { H200: { teraflops: 625, terabytes: 4.3 } };

/** The ceilings of an adapter; undefined where nobody has measured them. */
export function ceilingsOf(adapter: string): Ceilings | undefined {
	return Object.entries(measured).find(([name]) => adapter.toUpperCase().includes(name))?.[1];
}

const [width, height] = [760, 440];
const margin = Object.freeze({ left: 64, right: 24, top: 24, bottom: 52 });
/** FLOPs a byte and TFLOP/s at the edges. */
const [leastIntensity, mostIntensity] = [1, 16384];

const colors: readonly (readonly [kind: RegExp, color: string, name: string])[] = [
	[/attention/, "#c0504d", "attention"],
	[/matmul.* taps|taps/, "#4f81bd", "convolution"],
	[/matmul/, "#9bbb59", "linear"],
];

/**
 * A chart of kernels against the two ceilings of their card as SVG: FLOPs a byte to the right, TFLOP/s upwards, both logarithmic; the area of
 * a point is its share of the time. Rows without FLOPs are left out.
 */
export function rooflineSvg(rows: readonly BenchRow[], title: string, { teraflops, terabytes }: Ceilings): string {
	const points = rows.filter(({ flops = 0, bytes = 0, elapsedMs }) => flops > 0 && bytes > 0 && elapsedMs > 0);
	const total = points.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
	const [leastRate, mostRate] = [teraflops / 1024, teraflops * 1.3];
	const x = (intensity: number) =>
		margin.left + (Math.log(intensity / leastIntensity) / Math.log(mostIntensity / leastIntensity)) * (width - margin.left - margin.right);
	const y = (rate: number) =>
		height - margin.bottom - (Math.log(rate / leastRate) / Math.log(mostRate / leastRate)) * (height - margin.top - margin.bottom);
	const text = (at: readonly [number, number], content: string, attributes = "") =>
		`<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${attributes}>${escaped(content)}</text>`;
	const ridge = teraflops / terabytes;
	const roof = [
		[x(Math.max(leastIntensity, leastRate / terabytes)), y(Math.max(leastRate, leastIntensity * terabytes))],
		[x(ridge), y(teraflops)],
		[x(mostIntensity), y(teraflops)],
	];
	const grid: string[] = [];
	for (let intensity = leastIntensity; intensity <= mostIntensity; intensity *= 4) {
		grid.push(`<line x1="${x(intensity).toFixed(1)}" x2="${x(intensity).toFixed(1)}" y1="${margin.top}" y2="${height - margin.bottom}"/>`);
		grid.push(text([x(intensity), height - margin.bottom + 18], String(intensity), 'text-anchor="middle"'));
	}
	for (let rate = 1; rate <= mostRate; rate *= 4) {
		if (rate < leastRate) continue;
		grid.push(`<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(rate).toFixed(1)}" y2="${y(rate).toFixed(1)}"/>`);
		grid.push(text([margin.left - 8, y(rate) + 4], String(rate), 'text-anchor="end"'));
	}
	const circles = points
		.toSorted((a, b) => b.elapsedMs - a.elapsedMs)
		.map(({ name, shape = "", elapsedMs, flops = 0, bytes = 0 }) => {
			const rate = flops / elapsedMs / 1e9;
			const at = [
				x(Math.min(mostIntensity, Math.max(leastIntensity, flops / bytes))),
				y(Math.min(mostRate, Math.max(leastRate, rate))),
			] as const;
			const radius = 2 + 26 * Math.sqrt(elapsedMs / total);
			const label = `${name} ${shape}: ${rate.toFixed(1)} TFLOP/s, ${(bytes / elapsedMs / 1e6).toFixed(0)} GB/s, ${((100 * elapsedMs) / total).toFixed(1)} %`;
			return `<circle cx="${at[0].toFixed(1)}" cy="${at[1].toFixed(1)}" r="${radius.toFixed(1)}" fill="${colorOf(`${name} ${shape}`)}" fill-opacity="0.55" stroke="#fff"><title>${escaped(label)}</title></circle>`;
		});
	const legend = colors.map(
		([, color, name], i) =>
			`<circle cx="${margin.left + 18}" cy="${margin.top + 18 + i * 18}" r="6" fill="${color}"/>${text([margin.left + 30, margin.top + 22 + i * 18], name)}`,
	);
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="${width}" height="${height}" fill="#fff"/>
<g stroke="#e4e4e4" stroke-width="1">${grid.filter((one) => one.startsWith("<line")).join("")}</g>
${grid.filter((one) => one.startsWith("<text")).join("")}
<polyline points="${roof.map((at) => at.map((value) => value.toFixed(1)).join(",")).join(" ")}" fill="none" stroke="#333" stroke-width="1.5"/>
${text([x(mostIntensity), y(teraflops) - 6], `${teraflops} TFLOP/s`, 'text-anchor="end"')}
${text([x(ridge / 12), y(teraflops / 12) - 10], `${terabytes} TB/s`, 'text-anchor="end"')}
${circles.join("\n")}
${legend.join("\n")}
${text([width / 2, 16], title, 'text-anchor="middle" font-size="13"')}
${text([(width + margin.left) / 2, height - 12], "FLOPs a byte", 'text-anchor="middle"')}
<text transform="translate(16,${height / 2}) rotate(-90)" text-anchor="middle">TFLOP/s</text>
</svg>
`;
}

function colorOf(text: string): string {
	return colors.find(([kind]) => kind.test(text))?.[1] ?? "#8064a2";
}

function escaped(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

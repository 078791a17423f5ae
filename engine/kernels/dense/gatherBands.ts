import { elementBytes, elementCount, rowsOf, type Tensor, tensorBytes } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { alignedRows, allFit, bindingLimit, forEachWindow, rowBytes, showRows, tooLarge, windowRows } from "../../graph/windows.ts";
import { gatherRows } from "./gatherRows.ts";

/** A kernel that reads rows of x by a table and writes as many rows as the table has, for each of several images. */
export interface GatherBandsRequest {
	/** [images * rowsIn, width]. */
	readonly x: Tensor;
	/** Rows of x that one image has. */
	readonly rowsIn: number;
	/** i32 [rowsOut, taps]: rows of x inside one image, negative for none; the same for every image. */
	readonly table: Tensor;
	/** Matrices of images * rowsOut rows, indexed alike: the output, a residual. */
	readonly rows: readonly Tensor[];
	/** A row of zeros does as well as none, so that rows may be copied by a table whose values the host does not know. */
	readonly zerosForNone?: boolean;
	readonly label: string;
}

/** What one dispatch shows. */
export interface GatherBand {
	/** First of all output rows, and their number: of whole images, or part of one. */
	readonly start: number;
	readonly count: number;
	/** The rows of x, of `imageRowsIn` an image, and the table for them. */
	readonly x: Tensor;
	readonly imageRowsIn: number;
	readonly table: Tensor;
	/** `rows`, from row `start - before` on. */
	readonly rows: readonly Tensor[];
	readonly before: number;
}

/**
 * Calls `record` once where everything fits one binding, else for whole images, else for bands of output rows. A band shows the rows of x
 * that its own piece of the table names, all between the first and the last; where they lie too far apart they are copied together. What
 * a band computes does not depend on its borders. With a table that is no constant of the graph, x must fit, or all its rows are copied.
 */
export function forEachGatherBand(graph: Graph, request: GatherBandsRequest, record: (band: GatherBand) => void): void {
	const { x, rowsIn, table, rows } = request;
	const [rowsOut, taps] = table.shape;
	const images = x.shape[0] / rowsIn;
	const perImage = [byImage(x, rowsIn), ...rows.map((tensor) => byImage(tensor, rowsOut))];
	if (allFit(graph, [x, table, ...rows])) {
		record({ start: 0, count: images * rowsOut, x, imageRowsIn: rowsIn, table, rows, before: 0 });
		return;
	}
	if (images > 1 && allFit(graph, [table]) && windowRows(graph, images, perImage) > 0) {
		forEachWindow(graph, images, perImage, (first, count) => {
			record({
				start: first * rowsOut,
				count: count * rowsOut,
				x: rowsOf(x, first * rowsIn, count * rowsIn),
				imageRowsIn: rowsIn,
				table,
				rows: rows.map((tensor) => rowsOf(tensor, first * rowsOut, count * rowsOut)),
				before: 0,
			});
		});
		return;
	}
	const key = graph.constantOf(table)?.key;
	for (let image = 0; image < images; image++) {
		const band = (start: number, count: number, shown: Pick<GatherBand, "x" | "imageRowsIn" | "table">) => {
			const first = image * rowsOut + start;
			const { tensors, first: shownFirst } = showRows(rows, first, first + count);
			record({ start: first, count, rows: tensors, before: first - shownFirst, ...shown });
		};
		if (key === undefined) {
			const ofImage = showRows([x], image * rowsIn, (image + 1) * rowsIn);
			const shown = allFit(graph, ofImage.tensors) && ofImage.first === image * rowsIn;
			if (!shown && !(request.zerosForNone && images === 1)) throw tooLarge(graph, [byImage(x, rowsIn)], 1);
			// What is copied is windowed with the table: `taps` rows of x for each of its rows.
			const copies = shown ? [] : [{ ...x, shape: [rowsOut, taps, x.shape[1]] }];
			forEachWindow(
				graph,
				rowsOut,
				[table, ...copies, ...rows.map((tensor) => rowsOf(tensor, image * rowsOut, rowsOut))],
				(start, count) => {
					const own = rowsOf(table, start, count);
					if (shown) return band(start, count, { x: ofImage.tensors[0], imageRowsIn: rowsIn, table: own });
					const copy = gatherRows(graph, { x, indices: own, label: `${request.label} rows` });
					const inOrder = graph.constant(`rows in order ${count} x ${taps}`, "i32", [count, taps], () =>
						Int32Array.from({ length: count * taps }, (_, i) => i),
					);
					band(start, count, { x: copy, imageRowsIn: count * taps, table: inOrder });
				},
			);
			continue;
		}
		for (const { start, count, from, to } of bands(graph, request, tableValues(graph, table), image * rowsIn)) {
			const name = `${key} rows ${start} .. ${start + count}`;
			const piece = (suffix: string, rowOf: (row: number, index: number) => number): Tensor =>
				graph.constant(`${name} ${suffix}`, "i32", [count, taps], () =>
					Int32Array.from(tableValues(graph, table).subarray(start * taps, (start + count) * taps), rowOf),
				);
			if (to === undefined) {
				// Too far apart: every tap's row is copied.
				const indices = piece(`of image ${image}`, (row) => (row < 0 ? -1 : image * rowsIn + row));
				const copies = gatherRows(graph, { x, indices, label: `${request.label} rows` });
				const own = piece("copied", (row, index) => (row < 0 ? -1 : index));
				band(start, count, { x: copies, imageRowsIn: copies.shape[0], table: own });
			} else {
				const { tensors, first } = showRows([x], from, to);
				const shift = image * rowsIn - first;
				const own = piece(`from ${-shift}`, (row) => (row < 0 ? -1 : row + shift));
				band(start, count, { x: tensors[0], imageRowsIn: to - first, table: own });
			}
		}
	}
}

/** A constant's values; looked up when they are wanted, so that no recorded piece keeps the whole table. */
function tableValues(graph: Graph, table: Tensor): Int32Array {
	const constant = graph.constantOf(table);
	if (!(constant?.values instanceof Int32Array)) throw new Error(`${graph.path}: ${table.storage.label} is no table of rows`);
	return constant.values;
}

/** Output rows start .. start + count of one image and the rows of x they read; `to` undefined where those are to be copied. */
interface Band {
	readonly start: number;
	readonly count: number;
	readonly from: number;
	readonly to: number | undefined;
}

/** As few bands as possible, each as long as one binding shows all it needs. `firstRow`: of the image in x. */
function bands(graph: Graph, { x, table, rows, label }: GatherBandsRequest, values: Int32Array, firstRow: number): readonly Band[] {
	const limit = bindingLimit(graph);
	const [rowsOut, taps] = table.shape;
	const aligned = alignedRows(rows);
	// Rows before the first that a window shows, so that it starts aligned.
	const spareIn = alignedRows([x]) - 1;
	const mostIn = Math.floor(limit / rowBytes(x)) - spareIn;
	const mostOut = Math.min(...[rowBytes(table), ...rows.map(rowBytes)].map((bytes) => Math.floor(limit / bytes))) - (aligned - 1);
	const copied = Math.min(mostOut, Math.floor(limit / (rowBytes(x) * taps)), Math.floor(limit / (4 * taps)));
	const found: Band[] = [];
	for (let start = 0; start < rowsOut; ) {
		let [from, to] = [Number.POSITIVE_INFINITY, 0];
		let best: Band | undefined;
		for (let row = start; row < rowsOut && row - start < mostOut; row++) {
			for (let tap = 0; tap < taps; tap++) {
				const source = values[row * taps + tap];
				if (source < 0) continue;
				from = Math.min(from, source);
				to = Math.max(to, source + 1);
			}
			if (to - from > mostIn) break;
			// Bands end where the next can start aligned.
			if ((row + 1) % aligned === 0 || row + 1 === rowsOut) {
				best = { start, count: row + 1 - start, from: firstRow + Math.min(from, to), to: firstRow + Math.max(to, Math.min(from, to) + 1) };
			}
		}
		if (best === undefined || (best.count < copied && best.count < rowsOut - start)) {
			const count = Math.min(rowsOut - start, copied >= aligned ? Math.floor(copied / aligned) * aligned : copied);
			if (best === undefined || count > best.count) {
				if (count < 1) throw tooLarge(graph, [x, ...rows], taps);
				best = { start, count, from: 0, to: undefined };
			}
		}
		found.push(best);
		start += best.count;
	}
	if (elementCount(table.shape) !== values.length) throw new Error(`${graph.path}/${label}: the table has ${values.length} values`);
	return found;
}

function byImage(tensor: Tensor, rows: number): Tensor {
	const images = tensor.shape[0] / rows;
	return { ...tensor, shape: [images, tensorBytes(tensor) / elementBytes(tensor.dtype) / images] };
}

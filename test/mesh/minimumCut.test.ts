import { expect, it } from "vitest";
import { type CutProblem, minimumCut } from "../../engine/mesh/minimumCut.ts";
import { randomValues } from "../support/gpu.ts";

function costOf({ links, capacities, terminals }: CutProblem, side: ArrayLike<number>): number {
	let cost = 0;
	capacities.forEach((capacity, e) => {
		if (side[links[e * 2]] !== side[links[e * 2 + 1]]) cost += capacity;
	});
	terminals.forEach((capacity, node) => {
		if (capacity > 0 && side[node] === 0) cost += capacity;
		if (capacity < 0 && side[node] === 1) cost -= capacity;
	});
	return cost;
}

/** By trying all subsets: the cheapest, of equal ones the largest. */
function cheapest(problem: CutProblem): number[] {
	let best: { readonly cost: number; readonly side: number[] } | undefined;
	for (let bits = 0; bits < 2 ** problem.nodes; bits++) {
		const side = Array.from({ length: problem.nodes }, (_, node) => (bits >> node) & 1);
		const cost = costOf(problem, side);
		const size = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0);
		if (best === undefined || cost < best.cost || (cost === best.cost && size(side) > size(best.side))) best = { cost, side };
	}
	return best?.side ?? [];
}

function randomProblem(nodes: number, count: number, seed: number): CutProblem {
	const random = randomValues(count * 3 + nodes, seed);
	const links: number[] = [];
	for (let e = 0; e < count; e++) {
		const [a, b] = [random[e * 3], random[e * 3 + 1]].map((value) => Math.floor(((value + 1) / 2) * nodes));
		if (a !== b) links.push(a, b);
	}
	const whole = (value: number) => Math.floor((value + 1) * 4);
	const capacities = Float64Array.from({ length: links.length / 2 }, (_, e) => whole(random[e * 3 + 2]));
	const terminals = Float64Array.from({ length: nodes }, (_, node) => Math.trunc(random[count * 3 + node] * 9));
	return { nodes, links: Uint32Array.from(links), capacities, terminals };
}

it("finds the largest of the minimum cuts of small networks", () => {
	for (let seed = 0; seed < 150; seed++) {
		const problem = randomProblem(2 + (seed % 8), 3 + (seed % 17), seed);
		expect([...minimumCut(problem)], `seed ${seed}`).toEqual(cheapest(problem));
	}
});

it("counts nodes without any link to the source", () => {
	const none = { nodes: 3, links: new Uint32Array(0), capacities: new Float64Array(0), terminals: Float64Array.of(0, -1, 0) };
	expect([...minimumCut(none)]).toEqual([1, 0, 1]);
});

it("cuts a grid of 40,000 nodes within seconds, at its narrowest place", () => {
	const width = 200;
	const [links, capacities]: [number[], number[]] = [[], []];
	const widthAt = (x: number) => (x === 120 ? 0.5 : 1);
	for (let y = 0; y < width; y++) {
		for (let x = 0; x < width; x++) {
			if (x + 1 < width) {
				links.push(y * width + x, y * width + x + 1);
				capacities.push(widthAt(x));
			}
			if (y + 1 < width) {
				links.push(y * width + x, (y + 1) * width + x);
				capacities.push(1);
			}
		}
	}
	const terminals = Float64Array.from({ length: width * width }, (_, node) => (node % width < 30 ? 1000 : node % width > 170 ? -1000 : 0));
	const side = minimumCut({ nodes: width * width, links: Uint32Array.from(links), capacities: Float64Array.from(capacities), terminals });
	expect(side.every((value, node) => value === Number(node % width <= 120))).toBe(true);
});

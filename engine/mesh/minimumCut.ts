/** A flow network between a source and a sink. */
export interface CutProblem {
	readonly nodes: number;
	/** [e, 2] pairs of nodes; flow may go either way. */
	readonly links: Uint32Array;
	/** [e] at least 0. */
	readonly capacities: Float64Array;
	/** [nodes] capacity from the source where positive, to the sink where negative. */
	readonly terminals: Float64Array;
}

const [free, ofSource, ofSink] = [0, 1, 2];
const [none, terminal, orphaned] = [-1, -2, -3];

/**
 * The source's side of a minimum cut: [nodes] 1 where no flow can reach the sink any more. Of several minimum cuts that with the most
 * nodes; nodes that are linked to neither are on the source's side, as with igraph's `mincut`. Yuri Boykov and Vladimir Kolmogorov, "An
 * Experimental Comparison of Min-Cut/Max-Flow Algorithms for Energy Minimization in Vision", PAMI 2004: two trees that grow towards
 * each other and are kept between augmentations.
 */
export function minimumCut({ nodes, links, capacities, terminals }: CutProblem): Uint8Array {
	const { firstArc, arcs } = arcsOfNodes(nodes, links);
	const residual = Float64Array.from({ length: links.length }, (_, arc) => capacities[arc >> 1]); // arc 2e: links[2e] -> links[2e + 1]
	const spare = terminals.slice();
	const headOf = (arc: number) => links[arc ^ 1];
	const tree = new Uint8Array(nodes);
	const parent = new Int32Array(nodes).fill(none); // the arc to the parent
	const stamp = new Uint32Array(nodes);
	const distance = new Uint32Array(nodes);
	let now = 0;
	const active = queue(nodes);
	const orphans: number[] = [];
	for (let node = 0; node < nodes; node++) {
		if (spare[node] === 0) continue;
		tree[node] = spare[node] > 0 ? ofSource : ofSink;
		parent[node] = terminal;
		distance[node] = 1;
		active.push(node);
	}

	/** What can still flow along a tree's arc between parent and child; `arc` leads from the child to the parent. */
	const towards = (side: number, arc: number) => residual[side === ofSource ? arc ^ 1 : arc];

	/** Grows the trees from an active node; gives the arc from the source's tree to the sink's where they touch. */
	function grow(node: number): number {
		const side = tree[node];
		for (let i = firstArc[node]; i < firstArc[node + 1]; i++) {
			const arc = arcs[i];
			if (towards(side, arc ^ 1) <= 0) continue;
			const other = headOf(arc);
			if (tree[other] === free) {
				tree[other] = side;
				parent[other] = arc ^ 1;
				stamp[other] = stamp[node];
				distance[other] = distance[node] + 1;
				active.push(other);
			} else if (tree[other] !== side) {
				return side === ofSource ? arc : arc ^ 1;
			} else if (stamp[other] <= stamp[node] && distance[other] > distance[node]) {
				parent[other] = arc ^ 1; // shorter
				stamp[other] = stamp[node];
				distance[other] = distance[node] + 1;
			}
		}
		return none;
	}

	function augment(bridge: number): void {
		const ends = [headOf(bridge ^ 1), headOf(bridge)];
		let flow = residual[bridge];
		for (const end of ends) {
			let node = end;
			for (; parent[node] !== terminal; node = headOf(parent[node])) flow = Math.min(flow, towards(tree[end], parent[node]));
			flow = Math.min(flow, Math.abs(spare[node]));
		}
		push(bridge, flow);
		for (const end of ends) {
			const side = tree[end];
			let node = end;
			while (parent[node] !== terminal) {
				const arc = parent[node];
				const above = headOf(arc);
				push(side === ofSource ? arc ^ 1 : arc, flow);
				if (towards(side, arc) <= 0) orphan(node);
				node = above;
			}
			spare[node] -= side === ofSource ? flow : -flow;
			if (spare[node] === 0) orphan(node);
		}
	}

	function push(arc: number, flow: number): void {
		residual[arc] -= flow;
		residual[arc ^ 1] += flow;
	}

	function orphan(node: number): void {
		parent[node] = orphaned;
		orphans.push(node);
	}

	/** Nodes from this one up to its tree's root, or infinity where an orphan is among them; marks the way as known to be good. */
	function depth(start: number): number {
		let steps = 0;
		let node = start;
		while (stamp[node] !== now) {
			if (parent[node] === orphaned) return Number.POSITIVE_INFINITY;
			if (parent[node] === terminal) {
				stamp[node] = now;
				distance[node] = 1;
			} else {
				node = headOf(parent[node]);
				steps++;
			}
		}
		const total = steps + distance[node];
		let left = total;
		for (node = start; stamp[node] !== now; node = headOf(parent[node])) {
			stamp[node] = now;
			distance[node] = left--;
		}
		return total;
	}

	function adopt(node: number): void {
		const side = tree[node];
		let [best, shortest] = [none, Number.POSITIVE_INFINITY];
		for (let i = firstArc[node]; i < firstArc[node + 1]; i++) {
			const arc = arcs[i];
			const other = headOf(arc);
			if (tree[other] !== side || towards(side, arc) <= 0) continue;
			const steps = depth(other);
			if (steps < shortest) [best, shortest] = [arc, steps];
		}
		if (best !== none) {
			parent[node] = best;
			stamp[node] = now;
			distance[node] = shortest + 1;
			return;
		}
		for (let i = firstArc[node]; i < firstArc[node + 1]; i++) {
			const arc = arcs[i];
			const other = headOf(arc);
			if (tree[other] !== side) continue;
			if (towards(side, arc) > 0) active.push(other);
			if (parent[other] === (arc ^ 1)) orphan(other);
		}
		tree[node] = free;
		parent[node] = none;
	}

	for (let node = active.peek(); node !== none; node = active.peek()) {
		const bridge = tree[node] === free ? none : grow(node);
		if (bridge === none) {
			active.pop();
			continue;
		}
		now++;
		augment(bridge);
		for (let i = 0; i < orphans.length; i++) adopt(orphans[i]);
		orphans.length = 0;
	}
	return tree.map((side) => (side === ofSink ? 0 : 1));
}

/** The arcs that leave each node: arcs[firstArc[n] .. firstArc[n + 1]]. Arc 2e leads from links[2e] to links[2e + 1], 2e + 1 back. */
function arcsOfNodes(nodes: number, links: Uint32Array): { firstArc: Uint32Array; arcs: Uint32Array } {
	const firstArc = new Uint32Array(nodes + 1);
	for (const node of links) firstArc[node + 1]++;
	for (let node = 0; node < nodes; node++) firstArc[node + 1] += firstArc[node];
	const next = firstArc.slice();
	const arcs = new Uint32Array(links.length);
	links.forEach((node, arc) => {
		arcs[next[node]++] = arc;
	});
	return { firstArc, arcs };
}

/** First in, first out; every node at most once. */
function queue(nodes: number) {
	const ring = new Uint32Array(nodes + 1);
	const waiting = new Uint8Array(nodes);
	let [start, end] = [0, 0];
	return {
		push(node: number) {
			if (waiting[node] === 1) return;
			waiting[node] = 1;
			ring[end] = node;
			end = (end + 1) % ring.length;
		},
		peek: () => (start === end ? none : ring[start]),
		pop() {
			waiting[ring[start]] = 0;
			start = (start + 1) % ring.length;
		},
	};
}

/** Pixels by the time at which a front comes to them; of equal times the one that was pushed first. */
export interface ArrivalHeap {
	push(pixel: number, time: number): void;
	/** The earliest pixel, taken out; -1 where there is none. */
	pop(): number;
}

/** An empty heap: a binary heap whose keys are (time, order of pushing). */
export function arrivalHeap(): ArrivalHeap {
	let pixels = new Uint32Array(1024);
	let times = new Float64Array(1024);
	let orders = new Uint32Array(1024);
	let size = 0;
	let pushed = 0;
	const grow = () => {
		const [oldPixels, oldTimes, oldOrders] = [pixels, times, orders];
		pixels = new Uint32Array(size * 2);
		times = new Float64Array(size * 2);
		orders = new Uint32Array(size * 2);
		pixels.set(oldPixels);
		times.set(oldTimes);
		orders.set(oldOrders);
	};
	const move = (from: number, to: number) => {
		pixels[to] = pixels[from];
		times[to] = times[from];
		orders[to] = orders[from];
	};
	return {
		push(pixel, time) {
			if (size === pixels.length) grow();
			let hole = size++;
			const order = pushed++;
			while (hole > 0) {
				const parent = (hole - 1) >> 1;
				if (times[parent] <= time) break; // an equal time was pushed earlier
				move(parent, hole);
				hole = parent;
			}
			pixels[hole] = pixel;
			times[hole] = time;
			orders[hole] = order;
		},
		pop() {
			if (size === 0) return -1;
			const first = pixels[0];
			const last = --size;
			const time = times[last];
			const order = orders[last];
			let hole = 0;
			for (;;) {
				let child = hole * 2 + 1;
				if (child >= size) break;
				const other = child + 1;
				if (other < size && (times[other] < times[child] || (times[other] === times[child] && orders[other] < orders[child])))
					child = other;
				if (times[child] > time || (times[child] === time && orders[child] > order)) break;
				move(child, hole);
				hole = child;
			}
			move(last, hole);
			return first;
		},
	};
}

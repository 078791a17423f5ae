import type { ServerLink } from "./serverLink.ts";
import type { RunEvent } from "./worker.ts";

/** Tells a server what a run does. */
export interface EventTeller {
	readonly tell: (event: RunEvent) => void;
	/** Gives all files and tells what is left. Rejects where that cannot be done. */
	flush(): Promise<void>;
	close(): void;
}

/** Events of which only the last one counts. */
const replaced: ReadonlySet<string> = new Set(["progress", "views"]);

/** Milliseconds between messages at least. */
const gapMs = 100;

/**
 * Sends events in order and in few messages, and an empty one each `beatMs`, whose answer says whether to stop. Before it tells that a stage
 * begins, it gives the files of the one before.
 */
export function eventTeller(link: ServerLink, giveFiles: () => Promise<void>, beatMs: number): EventTeller {
	let pending: RunEvent[] = [];
	let sending: Promise<void> | undefined;
	let soon: NodeJS.Timeout | undefined;
	let closed = false;

	async function send(): Promise<void> {
		const events = pending;
		pending = [];
		// Where files cannot be given now, they are at the end.
		if (events.some(({ event }) => event === "plan")) await giveFiles().catch(() => {});
		try {
			await link.tell(events, false);
		} catch {
			pending = [...events, ...pending];
		}
	}
	const start = () => {
		if (closed || sending !== undefined) return;
		sending = send().finally(() => {
			sending = undefined;
		});
	};
	const beat = setInterval(start, beatMs);

	const close = () => {
		closed = true;
		clearInterval(beat);
		clearTimeout(soon);
	};

	return {
		tell(event) {
			if (replaced.has(event.event)) pending = pending.filter((one) => one.event !== event.event);
			pending.push(event);
			soon ??= setTimeout(() => {
				soon = undefined;
				start();
			}, gapMs);
		},
		async flush() {
			await sending;
			await giveFiles();
			// A message that is on its way may come back, and with it what it tells.
			close();
			await sending;
			await link.tell(pending, true);
		},
		close,
	};
}

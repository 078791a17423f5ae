import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Milliseconds that the body of a request may take. */
export interface BodyTimes {
	/** In all. */
	readonly totalMs: number;
	/** Without a single byte, for a request that `allowSlow` was called with; in place of `totalMs`. */
	readonly idleMs: number;
}

/** Who sees to it that no body takes for ever; Node's own requestTimeout has one time for all requests. */
export interface BodyWatch {
	/** Answers requests of `server` that take too long with 408, and ends their connection. */
	follow(server: EventEmitter): void;
	/** Lets the rest of a body take as long as it wants, as long as it comes. */
	allowSlow(incoming: IncomingMessage): void;
}

/** A request whose body has not come whole. */
interface Upload {
	readonly end: () => void;
	readonly begun: number;
	bytes: number;
	/** When the last byte came. */
	last: number;
	slow: boolean;
}

/** Watches bodies, with a look at all of them a few times in the shorter of both times. */
export function bodyWatch({ totalMs, idleMs }: BodyTimes): BodyWatch {
	const uploads = new Map<IncomingMessage, Upload>();

	function look(): void {
		const now = performance.now();
		for (const [incoming, upload] of uploads) {
			if (incoming.complete || incoming.destroyed) {
				uploads.delete(incoming);
				continue;
			}
			const { bytesRead } = incoming.socket;
			if (bytesRead !== upload.bytes) Object.assign(upload, { bytes: bytesRead, last: now });
			if (upload.slow ? now - upload.last > idleMs : now - upload.begun > totalMs) upload.end();
		}
	}

	return {
		follow(server) {
			// Before whoever answers, who may allow it to be slow at once.
			server.prependListener("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
				const now = performance.now();
				const end = () => {
					if (!outgoing.headersSent) incoming.socket.write("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
					incoming.socket.destroySoon();
				};
				uploads.set(incoming, { end, begun: now, bytes: incoming.socket.bytesRead, last: now, slow: false });
			});
			const looking = setInterval(look, Math.min(totalMs, idleMs) / 10).unref();
			server.on("close", () => clearInterval(looking));
		},
		allowSlow(incoming) {
			const upload = uploads.get(incoming);
			if (upload !== undefined) upload.slow = true;
		},
	};
}

import { expect, it } from "vitest";
import { eventTeller } from "../../../runners/server/eventTeller.ts";
import type { RunEvent } from "../../../runners/server/worker.ts";

it("the end tells what a message that was on its way and failed had told", async () => {
	const told: string[] = [];
	let fail = () => {};
	const link = {
		stopped: new AbortController().signal,
		begin: () => Promise.reject(new Error("not asked")),
		fetch: async () => {},
		give: async () => {},
		tell: (events: readonly RunEvent[], patient: boolean) =>
			patient
				? Promise.resolve(void told.push(...events.map(({ event }) => event)))
				: new Promise<void>((_, reject) => {
						fail = () => reject(new Error("the server is away"));
					}),
	};
	// The message begins while the files are given, and fails after them.
	const teller = eventTeller(link, () => new Promise((given) => setTimeout(given, 50)), 10);
	teller.tell({ event: "result" });
	const flushed = teller.flush();
	setTimeout(() => fail(), 100);
	await flushed;
	expect(told).toEqual(["result"]);
});

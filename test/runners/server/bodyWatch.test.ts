import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it } from "vitest";
import { type BodyTimes, bodyWatch } from "../../../runners/server/bodyWatch.ts";
import { eventually } from "../../support/testServer.ts";

/** Sends ten bytes of a body, one each `gapMs`, and no more after `until`; what the server says. */
async function sent(times: BodyTimes, slow: boolean, gapMs: number, until = 10): Promise<string> {
	const bodies = bodyWatch(times);
	const server = createServer(async (incoming, outgoing) => {
		if (slow) bodies.allowSlow(incoming);
		let bytes = 0;
		try {
			for await (const piece of incoming) bytes += piece.length;
		} catch {
			return;
		}
		outgoing.end(`${bytes} bytes`);
	});
	server.requestTimeout = 0;
	bodies.follow(server);
	await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
	const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
	let answer = "";
	socket.on("data", (text) => {
		answer += text;
	});
	socket.on("error", () => {});
	socket.write("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n");
	for (let i = 0; i < until && answer === ""; i++) {
		await new Promise((resolve) => setTimeout(resolve, gapMs));
		socket.write("x");
	}
	await eventually(
		() => answer !== "" || undefined,
		() => "no answer",
	);
	socket.destroy();
	server.close();
	return answer
		.split("\r\n")
		.filter((line, i) => i === 0 || / bytes$/.test(line))
		.join(" ");
}

it("a body that comes slowly is refused after a time", async () => {
	expect(await sent({ totalMs: 300, idleMs: 60_000 }, false, 100)).toBe("HTTP/1.1 408 Request Timeout");
});

it("a body that may be slow is taken as long as it comes", async () => {
	expect(await sent({ totalMs: 300, idleMs: 60_000 }, true, 100)).toBe("HTTP/1.1 200 OK 10 bytes");
	expect(await sent({ totalMs: 60_000, idleMs: 300 }, true, 1, 5)).toBe("HTTP/1.1 408 Request Timeout");
});

it("a body that comes in time is taken", async () => {
	expect(await sent({ totalMs: 60_000, idleMs: 1 }, false, 1)).toBe("HTTP/1.1 200 OK 10 bytes");
});

// Stands in for dist/engineWorker.js: does what the picture's folder name or the seed says, over the same messages.
const report = { device: { adapter: "a card" }, stages: { stage1: true, stage2: true } };
let stopped = () => {};
process.on("message", (message) => {
	if (message.order === "start") {
		if (message.choice.weights === "missing") process.send({ answer: "failed", code: "checkpoint", message: "missing: is none", hint: "Get it." });
		else process.send({ answer: "ready", report });
	} else if (message.order === "abort") stopped();
	else {
		const { seed } = message.options;
		process.send({ answer: "event", event: { event: "progress", part: "diffusion", step: 0, steps: 1, elapsedMs: 0, pid: process.pid } });
		if (seed === 1) process.kill(process.pid, "SIGSEGV");
		else if (seed === 2) process.send({ answer: "failed", code: "internal", message: "Error: a mistake", hint: undefined });
		else if (seed === 3) stopped = () => process.send({ answer: "failed", code: "aborted", message: "The run was stopped.", hint: undefined });
		else process.send({ answer: "done" });
	}
});
process.on("disconnect", () => process.exit());

import { defineConfig } from "vitest/config";

// Software Vulkan compiles at the first dispatch and threads itself: long limits, few workers. Forks, because a native abort in a
// fork fails one file, not the run.
export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		pool: "forks",
		maxWorkers: 2,
		testTimeout: 120_000,
		hookTimeout: 120_000,
	},
});

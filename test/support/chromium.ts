import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is; undefined where this machine has none, or none at CHROMIUM_PATH. */
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));

/** Why tests in a browser are skipped. */
export const noChromium = "there is no Chromium; Debian and Ubuntu: apt-get install chromium; elsewhere set CHROMIUM_PATH";

/** Opens Chromium with WebGL on the CPU. */
export function openChromium(): Promise<Browser> {
	return chromium.launch({
		executablePath: chromiumPath as string,
		args: [
			"--no-sandbox",
			"--use-angle=swiftshader",
			"--enable-unsafe-swiftshader",
			"--ignore-gpu-blocklist",
			"--disable-dev-shm-usage",
			"--disable-crash-reporter",
		],
	});
}

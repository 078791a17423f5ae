import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SyncHumanError } from "../../../../engine/error.ts";
import { samplePerson } from "../../../../engine/image/samplePerson.ts";
import { encodePng } from "../../../../runners/imageFile.ts";
import { chromiumPath, noChromium, openChromium } from "../../../support/chromium.ts";
import { bundle } from "../../../support/program.ts";
import { stubWorker, testServer } from "../../../support/testServer.ts";

// The page in a real Chromium, as people use it.

let browser: Browser | undefined;
let person: { name: string; mimeType: string; buffer: Buffer };
beforeAll(async () => {
	if (chromiumPath === undefined) return;
	bundle();
	browser = await openChromium();
	person = { name: "person.png", mimeType: "image/png", buffer: Buffer.from(await encodePng(samplePerson())) };
});
afterAll(() => browser?.close());

/** Milliseconds for what the networks do, on cores that others use too. */
const long = 8 * 60_000;

/** A page whose mistakes fail the test at its end. */
async function opened(url: string, options: Parameters<Browser["newPage"]>[0] = {}) {
	const page = await (browser as Browser).newPage({ viewport: { width: 1200, height: 900 }, ...options });
	page.setDefaultTimeout(120_000);
	const mistakes: string[] = [];
	page.on("pageerror", (error) => mistakes.push(error.message));
	page.on("console", (message) => {
		if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) mistakes.push(message.text());
	});
	await page.goto(url);
	return { page, mistakes };
}

/** Sends the picture with the fewest steps. */
async function send(page: Page, steps: { readonly views: number; readonly model: number }): Promise<void> {
	await page.setInputFiles("#image", person);
	if (!(await page.getByLabel("Steps of the views").isVisible())) await page.getByText("More options").click();
	await page.getByLabel("Steps of the views").fill(String(steps.views));
	await page.getByLabel("Steps of the model").fill(String(steps.model));
	await page.locator("#textureSize").selectOption("0");
	await page.getByRole("button", { name: "Make the model" }).click();
}

/** The line that says where the job stands. */
const state = (page: Page, hasText: string | RegExp) => page.locator(".stateText", { hasText });

/** Colours of the canvas, in steps of 16, and the share and height of what differs from the backdrop beside it. */
async function look(page: Page) {
	const picture = await page.locator(".model canvas").screenshot();
	const { data, info } = await sharp(picture).removeAlpha().raw().toBuffer({ resolveWithObject: true });
	const { width, height } = info;
	const colors = new Set<number>();
	const rows = new Set<number>();
	let differing = 0;
	// Above the tools, which lie over the bottom.
	for (let y = 0; y < height * 0.88; y++) {
		for (let x = 0; x < width; x++) {
			const [at, beside] = [(y * width + x) * 3, (y * width + 4) * 3];
			colors.add((data[at] >> 4) * 256 + (data[at + 1] >> 4) * 16 + (data[at + 2] >> 4));
			const distance = [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[at + c] - data[beside + c]), 0);
			if (distance < 48) continue;
			differing++;
			rows.add(y);
		}
	}
	return { colors: colors.size, share: differing / (width * height), tall: rows.size / height };
}

/** A model is to be seen: neither an empty nor a filled canvas. */
function expectFigure({ colors, share, tall }: Awaited<ReturnType<typeof look>>, fewest: number): void {
	expect(colors).toBeGreaterThan(fewest);
	expect(share).toBeGreaterThan(0.03);
	expect(share).toBeLessThan(0.6);
	expect(tall).toBeGreaterThan(0.4);
}

it("a photo becomes a model on the screen, through every network with tiny weights", { timeout: 10 * 60_000 }, async ({ skip }) => {
	skip(chromiumPath === undefined, noChromium);
	const jobs = mkdtempSync(join(tmpdir(), "synchuman-page-"));
	const argv = ["serve", "--port", "0", "--weights", "synthetic:tiny", "--adapter", "software", "--jobs", jobs, "--json"];
	const server = spawn(process.execPath, [resolve("dist/cli.js"), ...argv], { stdio: ["ignore", "pipe", "inherit"] });
	try {
		const first = await new Promise<string>((ready, failed) => {
			server.stdout.once("data", (text) => ready(String(text)));
			server.once("exit", (status) => failed(new Error(`ended with ${status}`)));
		});
		const { page, mistakes } = await opened((JSON.parse(first) as { url: string }).url);
		await send(page, { views: 2, model: 1 });
		// Coarse views while it samples, with its progress.
		await page.locator(".tile.coarse").nth(4).waitFor({ timeout: long });
		await page
			.getByText(/Painting the views/)
			.first()
			.waitFor();
		const painted = await page.locator(".tile canvas").evaluateAll((all) => all.map((one) => (one as unknown as { width: number }).width));
		expect(painted).toHaveLength(5);
		expect(Number(await page.getByRole("progressbar").getAttribute("aria-valuenow"))).toBeGreaterThan(0);

		// Another one waits meanwhile, and is cancelled.
		await send(page, { views: 2, model: 1 });
		await state(page, "Next in line").waitFor();
		await page.getByRole("button", { name: "Cancel" }).click();
		await state(page, "Cancelled.").waitFor();
		await page.locator("#jobs a").nth(1).click();

		await page.locator('.canvas[data-mode="texture"]').waitFor({ timeout: long });
		await page.waitForTimeout(500);
		expectFigure(await look(page), 16);
		for (const [mode, fewest] of [
			["Normals", 64],
			["Splats", 16],
		] as const) {
			await page.locator(".model").getByRole("radio", { name: mode }).check();
			await page.locator(`.canvas[data-mode="${mode.toLowerCase()}"]`).waitFor();
			await page.waitForTimeout(500);
			expectFigure(await look(page), fewest);
		}
		// The views themselves, and the files.
		await page.locator('.tile img[alt="Back view, colours"]').waitFor();
		const [saved] = await Promise.all([page.waitForEvent("download"), page.locator(".download", { hasText: "GLB" }).click()]);
		expect(saved.suggestedFilename()).toBe("output.glb");
		expect(await page.locator(".figures").innerText()).toMatch(/Gaussians/);
		expect(mistakes).toEqual([]);
		await page.close();
	} finally {
		const ended = new Promise((done) => server.once("exit", done));
		server.kill("SIGKILL");
		await ended;
		rmSync(jobs, { recursive: true, force: true });
	}
});

it("a running job is cancelled, a failed one says why, and the history is kept by the address", { timeout: 120_000 }, async ({ skip }) => {
	skip(chromiumPath === undefined, noChromium);
	const slow = await testServer({ worker: stubWorker({ stageMs: 60_000 }) });
	const { page, mistakes } = await opened(slow.url);
	await send(page, { views: 3, model: 1 });
	await page.getByRole("button", { name: "Cancel" }).click();
	await state(page, "Cancelled.").waitFor();
	expect(await page.locator("#jobs li").count()).toBe(1);
	// By the keyboard alone: twice on the button, as it asks back.
	await page.getByRole("button", { name: "Remove" }).focus();
	await page.keyboard.press("Enter");
	await page.getByRole("button", { name: "Really remove?" }).waitFor();
	await page.keyboard.press("Enter");
	await page.getByText("Your model appears here").waitFor();
	expect(await page.locator("#jobs li").count()).toBe(0);
	expect(mistakes).toEqual([]);
	await page.close();
	await slow.end();

	const fail = new SyncHumanError("memory", "stage 1: diffusion needs 9 bytes of GPU memory, more than the 8 allowed.", "Raise it.");
	const failing = await testServer({ worker: stubWorker({ stageMs: 1, fail }) });
	const other = await opened(failing.url);
	await send(other.page, { views: 3, model: 1 });
	await other.page.getByText(fail.message).waitFor();
	await other.page.reload();
	await other.page.getByText(fail.message).waitFor();
	await other.page.goto(`${failing.url}/#/jobs/${"0".repeat(32)}`);
	await other.page.getByText("This model is not there").waitFor();
	expect(other.mistakes).toEqual([]);
	await other.page.close();
	await failing.end();
});

it("a server with a token asks for it, on a phone in the dark too", { timeout: 120_000 }, async ({ skip }) => {
	skip(chromiumPath === undefined, noChromium);
	const server = await testServer({ token: "secret" });
	const { page, mistakes } = await opened(server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
	await page.getByLabel("Token of this server").fill("secret");
	await page.keyboard.press("Tab");
	await send(page, { views: 3, model: 1 });
	// Pictures, the model and downloads bring the token.
	await page.locator('.tile img[alt="Back view, colours"]').waitFor();
	await page.locator('.canvas[data-mode="texture"]').waitFor();
	const [saved] = await Promise.all([page.waitForEvent("download"), page.locator(".download", { hasText: "ZIP" }).click()]);
	expect(saved.suggestedFilename()).toMatch(/^synchuman-[0-9a-f]{8}\.zip$/);
	// Nothing is wider than the screen.
	expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
	await page.getByRole("button", { name: "Colours: as the system" }).click();
	expect(await page.locator("html").getAttribute("data-theme")).toBe("light");
	expect(mistakes).toEqual([]);
	await page.close();
	await server.end();
});

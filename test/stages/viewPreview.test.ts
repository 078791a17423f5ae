import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { stageOneSchedule } from "../../engine/samplers/flowEuler.ts";
import { fitLatentColors, isPreviewed, previewing, previewViews } from "../../engine/stages/viewPreview.ts";
import { randomValues } from "../support/gpu.ts";

const channels = 4;
/** Colours of a latent, [channels + 1, 3]. */
const truth = [30, -20, 5, 10, 25, -15, -5, 10, 30, 2, 1, -3, 128, 120, 110];
const colorOf = (latents: Float32Array, pixel: number, c: number) =>
	truth.reduce((sum, weight, i) => {
		const channel = (i - c) / 3;
		return i % 3 === c ? sum + weight * (channel < channels ? latents[pixel * channels + channel] : 1) : sum;
	}, 0);

/** A picture of `block` pixels a latent whose blocks have exactly those colours, up to rounding. */
function picture(latents: Float32Array, size: number, block: number) {
	const data = new Uint8Array((size * block) ** 2 * 3);
	for (let y = 0; y < size * block; y++) {
		for (let x = 0; x < size * block; x++) {
			const pixel = Math.floor(y / block) * size + Math.floor(x / block);
			for (let c = 0; c < 3; c++) data[(y * size * block + x) * 3 + c] = Math.round(colorOf(latents, pixel, c));
		}
	}
	return imageOf(size * block, size * block, 3, data);
}

it("colours are fitted to what was encoded", () => {
	const latents = [randomValues(16 * 16 * channels, 1), randomValues(16 * 16 * channels, 2)];
	const { weights } = fitLatentColors(
		latents,
		latents.map((values) => picture(values, 16, 2)),
		channels,
	);
	for (const [i, weight] of truth.entries()) expect(weights[i]).toBeCloseTo(weight, 0);
	// A picture of one colour says nothing about latents.
	const flat = fitLatentColors([new Float32Array(4 * channels)], [imageOf(2, 2, 3, new Uint8Array(12).fill(9))], channels);
	expect([...flat.weights].map((value) => Math.round(value))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9]);
	expect(() => fitLatentColors([new Float32Array(9 * channels)], [imageOf(4, 4, 3, new Uint8Array(48))], channels)).toThrow(/whole number/);
});

it("a straight flow shows its end from any two times", () => {
	const [views, size] = [2, 3];
	const [noise, data] = [randomValues(views * 2 * size * size * channels, 3), randomValues(views * 2 * size * size * channels, 4)];
	const at = (time: number) => ({ time, images: data.map((value, i) => (1 - time) * value + time * noise[i]) });
	const colors = { channels, weights: Float64Array.from(truth) };
	for (const [before, now] of [
		[1, 0.75],
		[0.5, 0.25],
	]) {
		const seen = previewViews(at(before), at(now), colors, views);
		expect(seen.map(({ width, height, channels }) => [width, height, channels])).toEqual([
			[size, size, 3],
			[size, size, 3],
		]);
		seen.forEach(({ data: samples }, view) => {
			for (let i = 0; i < samples.length; i++) {
				// Colours follow normals.
				const pixel = (view * 2 + 1) * size * size + Math.floor(i / 3);
				expect(Math.abs(samples[i] - colorOf(data, pixel, i % 3))).toBeLessThan(0.6);
			}
		});
	}
});

it("is shown at most sixteen times, and at the end", () => {
	const shown = (steps: number) => Array.from({ length: steps }, (_, index) => index).filter((index) => isPreviewed(index, steps));
	expect(shown(1)).toEqual([0]);
	expect(shown(3)).toEqual([0, 1, 2]);
	expect(shown(31)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 30]);
	for (let steps = 1; steps < 200; steps++) {
		expect(shown(steps).length).toBeLessThanOrEqual(17);
		expect(shown(steps)).toContain(steps - 1);
	}
	const steps: number[] = [];
	const noise = new Float32Array(2 * channels);
	const colors = { channels, weights: Float64Array.from(truth) };
	const watch = previewing({ noise, steps: 4, views: 1, colors }, ({ step }) => steps.push(step));
	for (const step of stageOneSchedule(4, 3)) watch(step, noise);
	expect(steps).toEqual([1, 2, 3, 4]);
});

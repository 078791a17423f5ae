import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hardwareSinCos } from "../../engine/random/hardwareSine.ts";

function sinCos(angle: number): number[] {
	const out = new Float64Array(2);
	hardwareSinCos(angle, out);
	return [...out];
}

describe("the hardware's sine and cosine", () => {
	test("the bits that an H200 gives for 1,024 neighbouring angles at two places of every octave from 2^-34 to 2 pi", () => {
		const angle = new Float32Array(1);
		const angleBits = new Uint32Array(angle.buffer);
		const hash = createHash("sha256");
		for (let exponent = -34; exponent < 3; exponent++) {
			for (const mantissa of [1, 1.37]) {
				angle[0] = mantissa * 2 ** exponent;
				if (angle[0] > 6.28) continue;
				const first = angleBits[0];
				const values = new Float32Array(2 * 1024);
				for (let i = 0; i < 1024; i++) {
					angleBits[0] = first + i;
					[values[i], values[1024 + i]] = sinCos(angle[0]);
				}
				hash.update(new Uint8Array(values.buffer));
			}
		}
		expect(hash.digest("hex")).toBe("fe7cb13177be5c1c3b6a72aa2daa3429f503de6603dd7e98ec3f17e72b7865d2");
	});

	test("within 2^-20 of the sine, at most 1, and 0 at 0", () => {
		expect(sinCos(0)).toEqual([0, 1]);
		for (let i = 0; i < 20_000; i++) {
			const angle = Math.fround((i / 20_000) * 2 * Math.PI);
			const [sine, cosine] = sinCos(angle);
			expect(Math.abs(sine - Math.sin(angle))).toBeLessThan(2 ** -20);
			expect(Math.abs(cosine - Math.cos(angle))).toBeLessThan(2 ** -20);
			expect(Math.max(Math.abs(sine), Math.abs(cosine))).toBeLessThanOrEqual(1);
		}
	});
});

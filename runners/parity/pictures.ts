import { createHash } from "node:crypto";
import { type FloatImage, type Image, imageOf } from "../../engine/image/image.ts";
import type { HostTensor, ParityContext } from "./adapter.ts";

// Pictures between our form and the goldens'.

/** [height, width, channels], as PIL's arrays are. */
export function asTensor({ height, width, channels, data }: Image | FloatImage): HostTensor {
	return { shape: [height, width, channels], data };
}

/** [channels, height, width], as torch's pictures are. */
export function channelsFirst({ height, width, channels, data }: FloatImage): HostTensor {
	const values = new Float32Array(data.length);
	for (let i = 0; i < data.length; i++) values[(i % channels) * width * height + Math.floor(i / channels)] = data[i];
	return { shape: [channels, height, width], data: values };
}

/** An RGB or RGBA input [height, width, channels]. */
export async function inputImage(context: ParityContext, name: string): Promise<Image> {
	const { shape, data } = await context.input(name);
	return imageOf(shape[1], shape[0], shape[2], Uint8Array.from(data));
}

function sha256(data: Uint8Array | Float32Array): string {
	return createHash("sha256")
		.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
		.digest("hex");
}

/** Whole arrays against the sums in case.json, where goldens hold samples only. */
export function checkSums(
	context: ParityContext,
	sums: readonly (readonly [what: string, data: Uint8Array | Float32Array, sum: string | undefined])[],
) {
	const stated = sums.filter(([, , sum]) => sum !== undefined);
	const wrong = stated.filter(([, data, sum]) => sha256(data) !== sum).map(([what]) => what);
	if (wrong.length > 0) throw new Error(`sha256 of ${wrong.join(", ")} differs from case.json`);
	if (stated.length > 0) context.note(`sha256 of ${stated.map(([what]) => what).join(", ")} equal`);
}

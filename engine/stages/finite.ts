import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Executable } from "../graph/executable.ts";
import { findNonFinite, nonFiniteCount } from "../kernels/dense/nonFinite.ts";

/**
 * Throws code "device" where a part's result holds NaN or infinity, naming the first layer that wrote one: `replay` gives the executable,
 * its inputs written anew, whose run is looked at dispatch by dispatch.
 */
export async function requireFinite(
	device: Device,
	part: string,
	values: Float32Array,
	replay: () => Promise<Executable> | Executable,
): Promise<void> {
	// Without a callback: there are millions.
	let bad = values.length - 1;
	while (bad >= 0 && Number.isFinite(values[bad])) bad--;
	if (bad >= 0) throw await notFinite(device, part, `value ${bad}`, replay);
}

/** The same for a result that stays on the GPU. */
export async function requireFiniteTensor(
	device: Device,
	part: string,
	tensor: Tensor,
	replay: () => Promise<Executable> | Executable,
): Promise<void> {
	const count = await nonFiniteCount(device, tensor);
	if (count > 0) throw await notFinite(device, part, `${count} values`, replay);
}

async function notFinite(
	device: Device,
	part: string,
	what: string,
	replay: () => Promise<Executable> | Executable,
): Promise<SyncHumanError> {
	const found = await findNonFinite(device, await replay());
	const where = found
		? `${found.label} (${found.count} values of ${found.tensor})`
		: `not found again when the step was repeated (${what})`;
	return new SyncHumanError(
		"device",
		`${part}: the result is not finite; first in ${where}.`,
		"Try --dtype f32. If that helps, the weights overflow half precision; please report the layer.",
	);
}

import type { Device } from "./device.ts";
import { compileKernel, isRequested, type KernelVariant, variantKey } from "./kernel.ts";
import { loadShader } from "./shaderSource.ts";

// Dawn compiles on two threads a device, and NVIDIA's driver takes 24 s of them for stage 1 the first time. What it has compiled for one device
// of the process it gives to another at once (docs/tuning.md has the figures), so further devices compile beside this one, for that time only.

/** Compilations of one device that run at a time, and those that it is given beside them, for while this thread has other work. */
const threads = 2;
const spare = 4;
/** Milliseconds within which a driver that has the longest kernel in its cache gives it, several times over. */
const slowMs = 150;
/** Kernels after which it is known whether a helper's work helps. */
const enough = 4;

/**
 * Begins to compile variants, in order, beside whatever else runs; `compileKernel` then finds them. Their errors are its errors. Where the
 * device has helpers and the driver shows itself slow, they compile, and the device asks the driver for what they have made. Resolves
 * when all that is decided.
 */
export async function compileAhead(device: Device, variants: readonly KernelVariant[]): Promise<void> {
	const waiting = [...new Map(variants.map((variant) => [variantKey(variant), variant])).values()];
	const next = (): KernelVariant | undefined => {
		const variant = waiting.shift();
		return variant !== undefined && isRequested(device, variant) ? next() : variant;
	};
	const here = (variant: KernelVariant) => compileKernel(device, variant);
	const begin = () => {
		for (let i = 0; i < threads + spare; i++) void lane(next, here);
	};
	const fresh = waiting.filter((variant) => !isRequested(device, variant));
	if (device.helpers === undefined || fresh.length < enough) {
		begin();
		return;
	}
	if (!(await isSlow(here(longest(fresh)))) || !(await compileBeside(device, waiting, next, begin))) begin();
}

/** Takes what is next, one after the other. */
async function lane(next: () => KernelVariant | undefined, work: (variant: KernelVariant) => Promise<unknown>): Promise<void> {
	for (let variant = next(); variant !== undefined; variant = next()) await work(variant).catch(() => undefined);
}

/** The variant with the longest text, which takes a driver longest. */
function longest(variants: readonly KernelVariant[]): KernelVariant {
	const lengthOf = ({ shader }: KernelVariant) => loadShader(shader).length;
	return variants.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a));
}

async function isSlow(kernel: Promise<unknown>): Promise<boolean> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<boolean>((resolve) => {
		timer = setTimeout(resolve, slowMs, true);
	});
	const slow = await Promise.race([kernel.then(() => false).catch(() => false), late]);
	clearTimeout(timer);
	return slow;
}

/**
 * Has helpers compile what waits, until nothing does. False where none can be opened. Where the device waits longer for what they have made
 * than they took, the driver does not share it: they stop, and `begin` is called.
 */
async function compileBeside(
	device: Device,
	waiting: readonly KernelVariant[],
	next: () => KernelVariant | undefined,
	begin: () => void,
): Promise<boolean> {
	const spent = { kernels: 0, thereMs: 0, hereMs: 0 };
	let helps = true;
	const nextThere = () => (helps ? next() : undefined);
	const asked: Promise<unknown>[] = [];
	/** Resolves when the helper has made it; the device asks for it then, and nobody waits for that here. */
	const compileOn = (helper: Device) => async (variant: KernelVariant) => {
		const started = performance.now();
		let made = started;
		const there = compileKernel(helper, variant).finally(() => {
			made = performance.now();
		});
		const here = compileKernel(device, variant, () => there).then(() => {
			spent.kernels++;
			spent.thereMs += made - started;
			spent.hereMs += performance.now() - made;
			if (!helps || spent.kernels < enough || spent.hereMs < spent.thereMs) return;
			helps = false;
			begin();
		});
		asked.push(here.catch(() => undefined));
		await there;
	};
	const opened: { readonly helper: Device; readonly lanes: Promise<void>[] }[] = [];
	while (opened.length < (device.helpers?.count ?? 0) && waiting.length > 0) {
		const helper = await device.helpers?.open().catch(() => undefined);
		if (helper === undefined) break;
		opened.push({ helper, lanes: Array.from({ length: threads }, () => lane(nextThere, compileOn(helper))) });
	}
	for (let i = 0; i < spare; i++) for (const { helper, lanes } of opened) lanes.push(lane(nextThere, compileOn(helper)));
	const close = async () => {
		await Promise.all(opened.flatMap(({ lanes }) => lanes));
		await Promise.all(asked);
		for (const { helper } of opened) helper.close();
	};
	void close();
	return opened.length > 0;
}

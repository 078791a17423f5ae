import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DeviceReport } from "../../engine/gpu/device.ts";
import { sameAdapter } from "../chooseDevice.ts";

/** Bytes of a graphics card. */
export interface GraphicsMemory {
	readonly totalBytes: number;
	readonly freeBytes: number;
	/** Who said so. */
	readonly source: string;
}

/**
 * The memory of the adapter: WebGPU does not tell, but nvidia-smi and Linux's amdgpu do. Undefined where neither knows this adapter, and
 * where there are several that could be it, of different sizes.
 */
export function graphicsMemory(report: DeviceReport): GraphicsMemory | undefined {
	if (report.software) return undefined;
	if (/nvidia/i.test(`${report.vendor} ${report.adapter}`)) return nvidiaMemory(askNvidia(), report.adapter);
	if (/amd|radeon/i.test(`${report.vendor} ${report.adapter}`)) return onlyOne(amdCards("/sys/class/drm"));
	return undefined;
}

/** The card named `adapter` in lines "NAME, total MiB, free MiB" of nvidia-smi; of several equal ones the one with the most room. */
export function nvidiaMemory(lines: string, adapter: string): GraphicsMemory | undefined {
	const cards = lines.split("\n").flatMap((line) => {
		const [, name, total, free] = /^(.+), (\d+), (\d+)$/.exec(line.trim()) ?? [];
		return name !== undefined && sameAdapter(name, adapter)
			? [{ totalBytes: Number(total) * 2 ** 20, freeBytes: Number(free) * 2 ** 20, source: "nvidia-smi" }]
			: [];
	});
	return cards.sort((a, b) => b.freeBytes - a.freeBytes)[0];
}

function askNvidia(): string {
	const query = ["--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"];
	const ran = spawnSync("nvidia-smi", query, { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] });
	return ran.status === 0 ? ran.stdout : "";
}

/** The cards whose driver writes its memory into /sys (amdgpu). */
export function amdCards(folder: string): readonly GraphicsMemory[] {
	const cards: GraphicsMemory[] = [];
	const number = (card: string, name: string) => Number(readFileSync(join(folder, card, "device", `mem_info_vram_${name}`), "utf8"));
	try {
		for (const card of readdirSync(folder).filter((name) => /^card\d+$/.test(name))) {
			try {
				const totalBytes = number(card, "total");
				cards.push({ totalBytes, freeBytes: totalBytes - number(card, "used"), source: "amdgpu" });
			} catch {
				// A card of another driver.
			}
		}
	} catch {
		// Not Linux, or a container without /sys.
	}
	return cards;
}

function onlyOne(cards: readonly GraphicsMemory[]): GraphicsMemory | undefined {
	return cards.length === 1 ? cards[0] : undefined;
}

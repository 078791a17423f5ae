import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { amdCards, graphicsMemory, nvidiaMemory } from "../../../runners/doctor/graphicsMemory.ts";
import { stubReport } from "../../support/stubEngine.ts";

describe("graphicsMemory", () => {
	it("finds the card of that name in nvidia-smi's lines, of equal ones the emptiest", () => {
		const lines = "NVIDIA T4, 15360, 15000\nNVIDIA H200, 143771, 100\nNVIDIA H200, 143771, 143000\n";
		const found = { totalBytes: 143771 * 2 ** 20, freeBytes: 143000 * 2 ** 20, source: "nvidia-smi" };
		expect(nvidiaMemory(lines, "nvidia-h200")).toEqual(found);
		expect(nvidiaMemory(lines, "nvidia-h100")).toBeUndefined();
		expect(nvidiaMemory("[N/A], [N/A], [N/A]", "nvidia-h200")).toBeUndefined();
	});

	it("reads what amdgpu writes, and passes other cards over", () => {
		const folder = mkdtempSync(join(tmpdir(), "synchuman-drm-"));
		mkdirSync(join(folder, "card0", "device"), { recursive: true });
		mkdirSync(join(folder, "card1", "device"), { recursive: true });
		writeFileSync(join(folder, "card1", "device", "mem_info_vram_total"), "8000\n");
		writeFileSync(join(folder, "card1", "device", "mem_info_vram_used"), "1000\n");
		expect(amdCards(folder)).toEqual([{ totalBytes: 8000, freeBytes: 7000, source: "amdgpu" }]);
		rmSync(folder, { recursive: true });
		expect(amdCards(folder)).toEqual([]);
	});

	it("knows nothing of other adapters", () => {
		expect(graphicsMemory({ ...stubReport, software: true })).toBeUndefined();
		expect(graphicsMemory({ ...stubReport, vendor: "intel" })).toBeUndefined();
	});
});

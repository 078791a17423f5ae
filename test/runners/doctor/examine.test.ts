import { describe, expect, it } from "vitest";
import { SyncHumanError } from "../../../engine/error.ts";
import { parseCommandLine } from "../../../runners/arguments.ts";
import { doctorArguments, doctorStatus, doctorText } from "../../../runners/doctor/command.ts";
import { examine, type Machine } from "../../../runners/doctor/examine.ts";
import { stubReport } from "../../support/stubEngine.ts";

const gigabyte = 1e9;
const info = { ...stubReport, adapters: ["A Card", "Another (card)"] };

/** A machine on which everything is well, but for what is given. */
function machine(changes: Partial<Machine> = {}): Machine {
	return {
		versions: { node: "22.1.0" },
		platform: "linux x64",
		memory: { totalBytes: 16 * gigabyte, freeBytes: 12 * gigabyte },
		openAdapter: async () => info,
		graphicsMemory: () => ({ totalBytes: 8 * gigabyte, freeBytes: 7 * gigabyte, source: "nvidia-smi" }),
		openWeights: async () => ({ synthetic: false }),
		freeBytes: async () => 100 * gigabyte,
		hasProgram: () => true,
		...changes,
	};
}

async function doctor(changes: Partial<Machine> = {}, ...argv: string[]) {
	const findings = await examine(doctorArguments(parseCommandLine(["doctor", ...argv])), machine(changes));
	const missing = findings.filter(({ state }) => state === "missing");
	return { findings, missing: missing.map(({ name }) => name), status: doctorStatus(findings), text: doctorText(findings, "Fedora") };
}

const no = (error: unknown) => async () => {
	throw error;
};

describe("doctor", () => {
	it("lists what there is, and says that generate would run", async () => {
		const { status, text, findings } = await doctor();
		expect(status).toBe(0);
		expect(text).toMatch(/^ +adapter +a card; also Another \(card\) \(choose with --adapter\)$/m);
		expect(text).toMatch(/^ +GPU memory +6\.5 GiB free of 7\.5 GiB \(nvidia-smi\); generate needs 6\.1 GiB in f16$/m);
		expect(text).toMatch(/\ngenerate would run\n$/);
		expect(findings.every(({ state }) => state === "ok")).toBe(true);
		expect((await doctor({ versions: { node: "24.0.0", deno: "2.9.6" } })).text).toContain("Deno 2.9.6");
	});

	it("names what is missing with this system's commands, and ends as generate would", async () => {
		const none = new SyncHumanError("device", "No WebGPU adapter was found.");
		const gone = await doctor({ openAdapter: no(none) });
		expect([gone.missing, gone.status]).toEqual([["adapter"], 3]);
		expect(gone.text).toMatch(/^missing +adapter +No WebGPU adapter was found\.\n +sudo dnf install mesa-vulkan-drivers/m);
		const broken = await doctor({ openAdapter: no(new SyncHumanError("device", "WebGPU cannot be loaded: no binary")) });
		expect(broken.text).toMatch(/no binary\n +npm install webgpu/);
		const old = await doctor({ versions: { node: "20.19.9" } });
		expect([old.missing, old.status]).toEqual([["runtime"], 3]);
		const weights = await doctor(
			{ openWeights: no(new SyncHumanError("checkpoint", "DIR: is not a SyncHuman checkpoint")) },
			"--weights",
			"DIR",
		);
		expect([weights.missing, weights.status]).toEqual([["weights"], 4]);
		expect(weights.text).toContain("npx synchuman download --dir DIR");
		const full = await doctor({ freeBytes: async () => 1 });
		expect([full.missing, full.status]).toEqual([["disk"], 5]);
		const dawn = await doctor({ openAdapter: no(new Error("Failed to create device\n  at somewhere")) });
		expect(dawn.text).not.toContain("at somewhere");
	});

	it("takes a software adapter only where it is asked for", async () => {
		const software = { openAdapter: async () => ({ ...info, software: true }) };
		expect(await doctor(software)).toMatchObject({ missing: ["adapter"], status: 3 });
		expect(await doctor(software, "--adapter", "software")).toMatchObject({ missing: [], status: 0 });
	});

	it("knows what f32 costs", async () => {
		const plain = { openAdapter: async () => ({ ...info, f16: false }) };
		const { missing, text } = await doctor(plain);
		expect(missing).toEqual(["GPU memory"]);
		expect(text).toMatch(/^note +shader-f16 +no: runs go in f32/m);
		expect((await doctor(plain, "--dtype", "f16")).missing).toContain("shader-f16");
	});

	it("compares the card's memory, and says where it is unknown", async () => {
		const small = await doctor({ graphicsMemory: () => ({ totalBytes: 4 * gigabyte, freeBytes: 4 * gigabyte, source: "nvidia-smi" }) });
		expect([small.missing, small.status]).toEqual([["GPU memory"], 3]);
		expect((await doctor({}, "--max-memory", "2GB")).missing).toEqual(["GPU memory"]);
		expect((await doctor({}, "--max-memory", "2GB", "--weights", "synthetic:tiny")).missing).toEqual([]);
		const unknown = await doctor({ graphicsMemory: () => undefined });
		expect([unknown.missing, unknown.status]).toEqual([[], 0]);
		expect(unknown.text).toMatch(/^note +GPU memory +unknown: WebGPU does not tell/m);
	});

	it("refuses bindings below what WebGPU guarantees, and operands", async () => {
		const limits = { ...info.limits, maxStorageBufferBindingSize: 2 ** 26 };
		expect((await doctor({ openAdapter: async () => ({ ...info, limits }) })).missing).toEqual(["largest binding"]);
		expect(() => doctorArguments(parseCommandLine(["doctor", "me"]))).toThrow("doctor takes no me");
	});
});

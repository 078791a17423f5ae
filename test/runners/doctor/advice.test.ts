import { describe, expect, it } from "vitest";
import { advice, adviceLines, everywhere, knownSystem } from "../../../runners/doctor/advice.ts";

describe("advice", () => {
	it("has at least one command of each system for each thing", () => {
		for (const [thing, commands] of Object.entries(advice)) {
			for (const [system, lines] of Object.entries(commands)) {
				expect(lines.length, `${thing}, ${system}`).toBeGreaterThan(0);
				for (const line of lines) expect(line).toMatch(/^[a-z][\w-]+ +\S/);
			}
		}
	});

	it("knows a system by platform and /etc/os-release", () => {
		expect(knownSystem("linux", 'NAME="Debian"\nID=debian\n')).toBe("Debian/Ubuntu");
		expect(knownSystem("linux", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n')).toBe("Debian/Ubuntu");
		expect(knownSystem("linux", 'ID=rocky\nID_LIKE="rhel centos fedora"\n')).toBe("Fedora");
		expect(knownSystem("linux", "ID=arch\n")).toBeUndefined();
		expect(knownSystem("darwin", "")).toBe("macOS");
		expect(knownSystem("win32", "")).toBe("Windows");
	});

	it("gives a system its own commands, and another one everybody's", () => {
		expect(adviceLines(advice.ffmpeg, "macOS")).toEqual(["brew install ffmpeg"]);
		expect(adviceLines(advice.ffmpeg, undefined)).toContain("Fedora: sudo dnf install ffmpeg-free");
		expect(adviceLines(everywhere("npm ci"), undefined)).toEqual(["npm ci"]);
	});
});

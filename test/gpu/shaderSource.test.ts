import { describe, expect, it } from "vitest";
import { loadShader, registerShaders } from "../../engine/gpu/shaderSource.ts";

describe("loadShader", () => {
	it("puts included texts in place, those that they include too, and leaves other comments", () => {
		registerShaders({
			"test/kernel": '// says include "test/shared"\nstruct Params { rows: u32 }\n// include "test/shared"\nfn main() {}\n',
			"test/shared": '// include "test/deeper"\nfn shared() {}\n',
			"test/deeper": "fn deeper() {}\n",
		});
		expect(loadShader("test/kernel")).toBe(
			'// says include "test/shared"\nstruct Params { rows: u32 }\nfn deeper() {}\n\nfn shared() {}\n\nfn main() {}\n',
		);
	});

	it("names a text that is missing, included or not", () => {
		registerShaders({ "test/broken": '// include "test/absent"\n' });
		expect(() => loadShader("test/broken")).toThrow(/shader test\/absent: not found/);
	});
});

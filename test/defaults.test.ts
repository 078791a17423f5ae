import { expect, test } from "vitest";
import { defaults } from "../engine/defaults.ts";

test("the preset that is used by default has the default steps, and nothing can be changed", () => {
	expect(defaults.presets[defaults.preset]).toEqual({ steps: defaults.steps, stageTwoSteps: defaults.stageTwoSteps });
	expect(Object.isFrozen(defaults) && Object.isFrozen(defaults.presets) && Object.isFrozen(defaults.presets.quick)).toBe(true);
});

import { describe, expect, test } from "vitest";
import { flowTimes, stageOneSchedule, stageTwoSchedule } from "../../engine/samplers/flowEuler.ts";

describe("flowEuler", () => {
	test("times run from 1 to 0, as numpy computes them", () => {
		expect([...flowTimes(3, 3)]).toEqual([1, 0.8571428571428571, 0.6, 0]);
		expect([...flowTimes(1, 3)]).toEqual([1, 0]);
		expect([...flowTimes(4, 1)]).toEqual([1, 0.75, 0.5, 0.25, 0]);
		for (const steps of [0, -1, 2.5, Number.NaN]) expect(() => flowTimes(steps, 3)).toThrow(RangeError);
	});

	test("stage 1: the structure network gets its time in float16", () => {
		const schedule = stageOneSchedule(50, 3);
		expect(schedule).toHaveLength(50);
		expect(schedule[1].unetTimestep).toBeCloseTo(993.243, 3);
		expect(schedule[1].structureTimestep).toBe(993);
		expect(schedule.every((step) => step.structureTimestep <= 512 || (step.structureTimestep * 2) % 1 === 0)).toBe(true);
		expect(schedule.reduce((total, step) => total + step.timeStep, 0)).toBeCloseTo(1, 12);
		expect(schedule[49].nextTime).toBe(0);
	});

	test("stage 2: 19 of the official 25 steps are guided", () => {
		const schedule = stageTwoSchedule(25, 3, [0.5, 1]);
		expect(schedule.filter((step) => step.guided)).toHaveLength(19);
		expect(schedule[0]).toMatchObject({ time: 1, timestep: 1000, guided: true });
		expect(schedule.map((step) => step.guided).lastIndexOf(true)).toBe(18);
		expect(stageTwoSchedule(4, 1, [0.5, 0.75]).map((step) => step.guided)).toEqual([false, true, true, false]);
	});
});

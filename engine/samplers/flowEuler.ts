import { roundToFloat16 } from "../gpu/float16.ts";

// Flow matching from noise (t = 1) to data (t = 0) by Euler's method, as both stages of SyncHuman do it. A schedule is a table
// of the steps; the update of the state is a kernel (flowEulerStep), the loop the stages'.

/**
 * The times t_0 = 1 > ... > t_steps = 0 in doubles: rescaleT * u / (1 + (rescaleT - 1) * u) of equally spaced u. numpy's `linspace` and the
 * formula, operation by operation. Throws a RangeError where `steps` is not a whole number >= 1.
 */
export function flowTimes(steps: number, rescaleT: number): Float64Array {
	if (!Number.isInteger(steps) || steps < 1) throw new RangeError(`flowTimes: steps must be a whole number >= 1, got ${steps}`);
	const times = new Float64Array(steps + 1);
	for (let i = 0; i < steps; i++) {
		const u = i * (-1 / steps) + 1;
		times[i] = (rescaleT * u) / (1 + (rescaleT - 1) * u);
	}
	return times;
}

/** One step from `time` to `nextTime`. */
export interface FlowStep {
	readonly index: number;
	/** In (0, 1]; the state is all noise at 1. */
	readonly time: number;
	readonly nextTime: number;
	/** time - nextTime, what the velocity is multiplied with. */
	readonly timeStep: number;
}

/** A step of stage 1, whose two networks round the time differently. */
export interface StageOneStep extends FlowStep {
	/** 1000 time, for the sinusoid of the UNet. */
	readonly unetTimestep: number;
	/** 1000 time rounded to float16, for the sinusoid of the structure network: multiples of 0.5 above 512. */
	readonly structureTimestep: number;
}

function flowSteps(steps: number, rescaleT: number): FlowStep[] {
	const times = flowTimes(steps, rescaleT);
	return Array.from({ length: steps }, (_, index) => {
		const [time, nextTime] = [times[index], times[index + 1]];
		return { index, time, nextTime, timeStep: time - nextTime };
	});
}

/** The steps of stage 1: every one is guided. Upstream: SyncHumanOneStagePipeline.run_model. */
export function stageOneSchedule(steps: number, rescaleT: number): readonly StageOneStep[] {
	return flowSteps(steps, rescaleT).map((step) => ({
		...step,
		unetTimestep: step.time * 1000,
		structureTimestep: roundToFloat16(1000 * step.time),
	}));
}

/** A step of stage 2. */
export interface StageTwoStep extends FlowStep {
	/** 1000 time as float32, for the sinusoid. */
	readonly timestep: number;
	/** Whether the prediction without condition is needed, too. */
	readonly guided: boolean;
}

/**
 * The steps of stage 2: guided where interval[0] <= time <= interval[1]. Upstream: FlowEulerGuidanceIntervalSampler.
 */
export function stageTwoSchedule(steps: number, rescaleT: number, interval: readonly [number, number]): readonly StageTwoStep[] {
	return flowSteps(steps, rescaleT).map((step) => ({
		...step,
		timestep: Math.fround(1000 * step.time),
		guided: interval[0] <= step.time && step.time <= interval[1],
	}));
}

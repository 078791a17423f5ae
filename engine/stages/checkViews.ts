import { SyncHumanError } from "../error.ts";
import type { StageOneResult } from "./results.ts";

/** Throws code "input" unless there are five colour and five normal views, all squares of one size. */
export function checkViews({ colors, normals }: Pick<StageOneResult, "colors" | "normals">): void {
	if (colors.length !== 5 || normals.length !== 5) {
		throw new SyncHumanError("input", `Views: must be 5 colour and 5 normal pictures, got ${colors.length} and ${normals.length}.`);
	}
	const [first] = colors;
	for (const { width, height } of [...colors, ...normals]) {
		if (width === first.width && height === first.width) continue;
		throw new SyncHumanError(
			"input",
			`Views: all pictures must be RGB squares of one size, got ${width} x ${height} beside ${first.width} x ${first.height}.`,
		);
	}
}

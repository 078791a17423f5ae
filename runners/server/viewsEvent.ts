import { pictureRow } from "../../engine/image/sheet.ts";
import type { ViewPreview } from "../../engine/stages/viewPreview.ts";
import { encodePreview } from "../imageFile.ts";
import type { RunEvent } from "./worker.ts";

/** The views of a running job as they are so far. */
export interface ViewsNow {
	/** Steps done. */
	readonly step: number;
	/** A WebP file: front, right, back, left, face in one row of squares. */
	readonly webp: Uint8Array<ArrayBuffer>;
}

/** A preview as a worker tells it: the event "views", whose picture is in base64. */
export async function viewsEvent({ step, steps, views }: ViewPreview): Promise<RunEvent> {
	const webp = await encodePreview(pictureRow(views, 0));
	return { event: "views", step, steps, webp: Buffer.from(webp).toString("base64") };
}

/** Reads the fields of such an event. */
export function viewsOf({ step, webp }: Readonly<Record<string, unknown>>): ViewsNow {
	return { step: Number(step), webp: new Uint8Array(Buffer.from(String(webp), "base64")) };
}

import { SyncHumanError } from "../engine/error.ts";
import type { Image } from "../engine/image/image.ts";
import { encodePng } from "./imageFile.ts";

/** preview.png, made by `make`; nothing where the GPU has no room for it, which is no error: the results are there. */
export async function previewFiles(
	make: () => Promise<Image>,
	remark: (text: string) => void,
): Promise<[name: string, content: Uint8Array][]> {
	try {
		return [["preview.png", await encodePng(await make())]];
	} catch (error) {
		if (!(error instanceof SyncHumanError) || error.code !== "memory") throw error;
		remark(`no preview.png: ${error.message}`);
		return [];
	}
}

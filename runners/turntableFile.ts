import { SyncHumanError } from "../engine/error.ts";
import type { Image } from "../engine/image/image.ts";
import { pictureRow } from "../engine/image/sheet.ts";
import type { DrawFigureRequest, drawFigure } from "../engine/stages/drawFigure.ts";
import { drawnSurface, turntableViews } from "../engine/stages/figurePictures.ts";
import type { PreviewedSurface } from "../engine/stages/preview.ts";
import { encodeAnimation } from "./imageFile.ts";
import { encodeVideo, findFfmpeg } from "./video.ts";

/** Pictures once around, their size, and how many a second: upstream's. */
const frames = 60;
const size = 512;
const framesPerSecond = 25;

/** The turntable of a surface, colours beside normals, on white: turntable.mp4, or turntable.webp where there is no ffmpeg. */
export async function turntableFile(
	surface: PreviewedSurface,
	draw: (request: DrawFigureRequest) => ReturnType<typeof drawFigure>,
	remark: (text: string) => void,
): Promise<[name: string, content: Uint8Array]> {
	const drawn = drawnSurface(surface);
	const shaded = (shading: "color" | "normals") =>
		draw({
			name: { stage: "turntable", part: `turntable, ${shading === "color" ? "colours" : shading}` },
			figure: { meshes: [drawn] },
			views: turntableViews(frames),
			...{ size, shading, background: [255, 255, 255] },
		});
	const [colors, normals] = [await shaded("color"), await shaded("normals")];
	const rows: readonly Image[] = colors.map((color, frame) => pictureRow([color, normals[frame]], 0));
	try {
		await findFfmpeg("turntable.mp4");
	} catch (error) {
		if (!(error instanceof SyncHumanError)) throw error;
		remark("turntable.webp instead of .mp4: ffmpeg is not on the PATH");
		return ["turntable.webp", await encodeAnimation(rows, "webp", 1000 / framesPerSecond)];
	}
	return ["turntable.mp4", await encodeVideo(rows, framesPerSecond, "turntable.mp4")];
}

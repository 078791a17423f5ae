import { basename, dirname } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { Device } from "../engine/gpu/device.ts";
import { pictureRow } from "../engine/image/sheet.ts";
import type { DrawnMesh, Shading } from "../engine/mesh/drawMesh.ts";
import { readGlb } from "../engine/mesh/readGlb.ts";
import { meshOfPly, readPly } from "../engine/mesh/readPly.ts";
import { gaussiansOfPly } from "../engine/splat/gaussianPly.ts";
import { drawFigure } from "../engine/stages/drawFigure.ts";
import { type Figure, sideView, turntableViews } from "../engine/stages/figurePictures.ts";
import { Networks } from "../engine/stages/networks.ts";
import type { PartContext } from "../engine/stages/part.ts";
import { readBytes } from "./files.ts";
import { decodeTexture, encodeAnimation, encodePng, encodeWebp } from "./imageFile.ts";
import type { RenderArguments } from "./renderArguments.ts";
import { encodeVideo, findFfmpeg } from "./video.ts";
import { writeFiles } from "./writeFiles.ts";

/** Pictures of a turntable a second. */
const framesPerSecond = 25;

/** `synchuman render`: a file with pictures of a figure in another file. Throws SyncHumanError; nothing is written then. */
export async function render(
	options: RenderArguments,
	context: Omit<PartContext, "device" | "networks">,
	openDevice: () => Promise<Device>,
): Promise<void> {
	const { output, size, views, background, asStored } = options;
	const format = output.slice(output.lastIndexOf(".") + 1).toLowerCase();
	if (format === "mp4") await findFfmpeg(output);
	const figure = await readFigure(options.figure, options.up);
	const sides = views === "turntable" ? turntableViews(options.frames) : views.map((name) => sideView(name, asStored));
	const shading = options.shading ?? ordinaryShading(figure);
	const device = await openDevice();
	try {
		const running: PartContext = { ...context, device, networks: new Networks() };
		const name = { stage: "render", part: "pictures" };
		const pictures = await drawFigure(running, { name, figure, views: sides, size, shading, background });
		const bytes =
			format === "mp4"
				? await encodeVideo(pictures, framesPerSecond, output)
				: views === "turntable"
					? await encodeAnimation(pictures, format === "gif" ? "gif" : "webp", 1000 / framesPerSecond)
					: await (format === "webp" ? encodeWebp : encodePng)(pictureRow(pictures, 0));
		await writeFiles(dirname(output), [[basename(output), bytes]]);
	} finally {
		device.close();
	}
}

/** A .glb or .ply file as something to draw. Throws code "input". */
export async function readFigure(path: string, up: "y" | "z"): Promise<Figure> {
	const bytes = await readBytes(path, "Give a .glb or .ply file.");
	if (/\.glb$/i.test(path)) {
		const meshes: DrawnMesh[] = [];
		for (const { picture, ...part } of await readGlb(bytes, path)) {
			meshes.push(picture === undefined ? part : { ...part, texture: await decodeTexture(picture, path) });
		}
		return { meshes };
	}
	const content = readPly(bytes, path);
	const gaussians = gaussiansOfPly(content.columns, content.count, path);
	if (gaussians !== undefined) return { gaussians };
	const mesh = meshOfPly(content, path, up === "y");
	if (mesh === undefined)
		throw new SyncHumanError("input", `${path}: holds neither faces nor Gaussians.`, "Give a .ply of a mesh or of Gaussians.");
	return { meshes: [mesh] };
}

function ordinaryShading(figure: Figure): Shading {
	if (!("meshes" in figure)) return "color";
	return figure.meshes.some(({ colors, texture }) => colors !== undefined || texture !== undefined) ? "color" : "lit";
}

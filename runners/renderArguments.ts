import type { Shading } from "../engine/mesh/drawMesh.ts";
import { type SideName, sideNames } from "../engine/stages/figurePictures.ts";
import type { CommandLine } from "./arguments.ts";
import { byteSize, choice, textOf, usage, whole } from "./optionValues.ts";

/** What `synchuman render` was asked to do. */
export interface RenderArguments {
	/** A .glb or .ply file. */
	readonly figure: string;
	/** A .png, .webp, .gif or .mp4 file. */
	readonly output: string;
	/** Sides that are drawn side by side, or once around. */
	readonly views: readonly SideName[] | "turntable";
	/** Pixels of a picture's side. */
	readonly size: number;
	/** Pictures of a turntable. */
	readonly frames: number;
	/** sRGB; undefined: transparent. */
	readonly background: readonly [number, number, number] | undefined;
	/** Undefined: the colour as it is where the figure has one, else lit. */
	readonly shading: Shading | undefined;
	/** Back and left turned over, as stage 1 stores its views. */
	readonly asStored: boolean;
	/** Axis that points up in a .ply of a mesh. */
	readonly up: "y" | "z";
	readonly adapter: string | undefined;
	readonly maxMemory: number | undefined;
}

/** Options that only `render` has, for `parseArgs`. */
export const renderOptions = {
	views: { type: "string" },
	size: { type: "string" },
	frames: { type: "string" },
	background: { type: "string" },
	shading: { type: "string" },
	"as-stored": { type: "boolean" },
	up: { type: "string" },
} as const;

/** Defaults of `render`. */
const renderDefaults = Object.freeze({ size: 768, turntableSize: 512, frames: 50 });

/** Lines of `synchuman --help`. */
export const renderHelp = `\
render:
  --views LIST|turntable   of ${sideNames.join(", ")} (default all, side by side), or once around as .webp, .gif or .mp4 (needs ffmpeg)
  --size N                 pixels of a picture's side (default ${renderDefaults.size}, turntable ${renderDefaults.turntableSize})
  --frames N               pictures of a turntable, 25 a second (default ${renderDefaults.frames})
  --background COLOUR      #rrggbb, white, black or transparent (default white)
  --shading NAME           color (as it is), lit, normals (as stage 1's pictures); default color where there is one, else lit
  --as-stored              back and left turned over, as stage 1 stores its views
  --up y|z                 axis that points up in a .ply of a mesh (default y)`;

/** Checks the options of `render`. Throws code "input". */
export function renderArguments({ operands, values }: CommandLine): RenderArguments {
	const [figure, ...more] = operands;
	if (figure === undefined || more.length > 0) throw usage("render takes one .glb or .ply file");
	if (!/\.(glb|ply)$/i.test(figure)) throw usage(`render takes a .glb or .ply file, got ${figure}`);
	const output = textOf(values, "output");
	if (output === undefined) throw usage("-o FILE is missing");
	const wanted = textOf(values, "views") ?? sideNames.join(",");
	const views = wanted === "turntable" ? wanted : wanted.split(",").map((name) => choice("--views", name.trim(), sideNames));
	const [endings, example] =
		views === "turntable" ? ([/\.(webp|gif|mp4)$/i, ".webp, .gif or .mp4"] as const) : ([/\.(png|webp)$/i, ".png or .webp"] as const);
	if (!endings.test(output)) throw usage(`-o must end in ${example}, got ${output}`);
	const shading = textOf(values, "shading");
	const background = backgroundOf(textOf(values, "background") ?? "white");
	if (background === undefined && /\.mp4$/i.test(output)) throw usage("--background transparent does not go with .mp4");
	return {
		figure,
		output,
		views,
		size: whole("size", textOf(values, "size"), views === "turntable" ? renderDefaults.turntableSize : renderDefaults.size, 16, 4096),
		frames: whole("frames", textOf(values, "frames"), renderDefaults.frames, 2, 360),
		background,
		shading: shading === undefined ? undefined : choice<Shading>("--shading", shading, ["color", "lit", "normals"]),
		asStored: values["as-stored"] === true,
		up: choice("--up", textOf(values, "up") ?? "y", ["y", "z"]),
		adapter: textOf(values, "adapter"),
		maxMemory: byteSize("max-memory", textOf(values, "max-memory")),
	};
}

function backgroundOf(given: string): readonly [number, number, number] | undefined {
	if (given === "transparent") return undefined;
	if (given === "white") return [255, 255, 255];
	if (given === "black") return [0, 0, 0];
	const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(given);
	if (match === null) throw usage(`--background must be #rrggbb, white, black or transparent, got ${given}`);
	return [Number.parseInt(match[1], 16), Number.parseInt(match[2], 16), Number.parseInt(match[3], 16)];
}

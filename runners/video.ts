import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { Image } from "../engine/image/image.ts";

/** Throws code "input" where there is no ffmpeg on the PATH to write `path` with. */
export async function findFfmpeg(path: string): Promise<void> {
	await runFfmpeg(["-version"], [], path);
}

/** An MP4 (H.264) of RGB pictures of one size; an odd last row or column is left out. Throws code "input" where ffmpeg is missing or fails. */
export async function encodeVideo(frames: readonly Image[], framesPerSecond: number, path: string): Promise<Uint8Array> {
	const [{ width, height }] = frames;
	const folder = await mkdtemp(join(tmpdir(), "synchuman-video-"));
	const file = join(folder, "video.mp4");
	try {
		const input = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`, "-r", String(framesPerSecond), "-i", "-"];
		const even = ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2"];
		const output = [...even, "-c:v", "libx264", "-threads", "1", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "+faststart"];
		await runFfmpeg(["-loglevel", "error", ...input, ...output, "-fflags", "+bitexact", file], frames, path);
		return await readFile(file);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Runs ffmpeg with the pictures' samples on its standard input. */
function runFfmpeg(argv: readonly string[], frames: readonly Image[], path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const child = spawn("ffmpeg", argv, { stdio: ["pipe", "ignore", "pipe"] });
		let said = "";
		child.stderr.on("data", (text) => {
			said += text;
		});
		child.on("error", (cause) =>
			reject(new SyncHumanError("input", `${path}: ffmpeg is not on the PATH.`, "Install ffmpeg, or write .webp or .gif.", { cause })),
		);
		child.on("close", (status) => {
			if (status === 0) resolve();
			else reject(new SyncHumanError("input", `${path}: ffmpeg failed: ${said.trim().split("\n")[0]}`, "Write .webp or .gif."));
		});
		child.stdin.on("error", () => undefined); // ffmpeg's own end says why
		for (const { data } of frames) child.stdin.write(data);
		child.stdin.end();
	});
}

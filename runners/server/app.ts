import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { packageVersion } from "../project.ts";
import { type AccessOptions, checkAccess } from "./accessRules.ts";
import type { BodyWatch } from "./bodyWatch.ts";
import type { WorkDesk } from "./bullmqLine.ts";
import type { FetchLimits } from "./fetchPicture.ts";
import { generateRoute } from "./generateRoute.ts";
import { errorReport, HttpError, httpStatus } from "./httpError.ts";
import type { JobQueue } from "./jobQueue.ts";
import { jobRoutes } from "./jobRoutes.ts";
import { type AnswerCounts, metricsText } from "./metrics.ts";
import { openApi } from "./openapi.ts";
import { readPages } from "./pages.ts";
import type { CheckPicture } from "./pictureUpload.ts";
import type { WorkerReport } from "./worker.ts";
import { workRoutes } from "./workRoutes.ts";

/** What the routes work with. */
export interface AppOptions extends AccessOptions {
	readonly queue: JobQueue;
	/** Those that are there now. */
	readonly workers: () => readonly WorkerReport[];
	/** For workers on other hosts; undefined where the server has its own. */
	readonly desk: WorkDesk | undefined;
	readonly bodies: BodyWatch;
	readonly checkPicture: CheckPicture;
	/** Bytes of an upload at most. */
	readonly maxUpload: number;
	/** How image_url is fetched; undefined: it is refused. */
	readonly fetching: Omit<FetchLimits, "maxBytes" | "signal"> | undefined;
	readonly log: (text: string) => void;
}

/** Pages may load only what the server itself has. */
const contentPolicy =
	"default-src 'self'; img-src 'self' blob: data:; connect-src 'self' blob:; worker-src 'self' blob:; frame-ancestors 'none'";

/** The HTTP interface, without a socket. */
export function serverApp(options: AppOptions): Hono {
	const { queue, log } = options;
	const answers: AnswerCounts = new Map();
	const app = new Hono();
	app.use(async (c, next) => {
		await next();
		c.header("X-Content-Type-Options", "nosniff");
		c.header("Content-Security-Policy", contentPolicy);
		answers.set(c.res.status, (answers.get(c.res.status) ?? 0) + 1);
	});
	// Workers show the key of their job in place of the token.
	if (options.desk !== undefined) workRoutes(app, options.desk, queue.table.store, options.bodies);
	if (options.origins.length > 0) {
		app.use(
			cors({
				origin: options.origins.includes("*") ? "*" : [...options.origins],
				allowHeaders: ["Authorization", "Content-Type"],
				exposeHeaders: ["Location", "Retry-After", "X-Job-Id"],
			}),
		);
	}
	app.use(async (c, next) => {
		checkAccess(c.req.raw, options);
		await next();
	});
	app.onError((error, c) => {
		const { code, message, hint } = errorReport(error, queue.table.store.folder);
		if (code === "internal") log(`${c.req.method} ${c.req.path}: ${error.stack ?? error}`);
		if (error instanceof HttpError && error.retryAfter !== undefined) c.header("Retry-After", String(error.retryAfter));
		if (code === "unauthorized") c.header("WWW-Authenticate", "Bearer");
		return c.json({ error: { code, message, hint } }, httpStatus[code] as ContentfulStatusCode);
	});
	app.notFound(() => {
		throw new HttpError("not-found", "There is no such page.", "See /docs.");
	});

	app.get("/health", (c) => {
		const present = options.workers();
		const { stage1, stage2 } = stagesOf(present);
		return c.json({
			status: "ok",
			service: "synchuman",
			version: packageVersion(),
			stage1,
			stage2,
			stage1_available: stage1,
			stage2_available: stage2,
			message:
				present.length === 0
					? "No worker is connected: jobs wait for one."
					: stage1 && stage2
						? "Both stages can run."
						: `Only stage ${stage1 ? 1 : 2} can run: the other one's weights are not there.`,
		});
	});
	app.get("/info", (c) => c.json(info(options)));
	app.get("/metrics", (c) => c.text(metricsText(queue, answers), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }));
	app.get("/openapi.json", (c) => c.json(openApi()));
	const pages = readPages();
	const page = (name: string) => {
		const found = pages.get(name);
		if (found === undefined)
			throw new HttpError("not-found", "There is no such page.", pages.size > 0 ? "See /docs." : "npm run build makes the pages.");
		return new Response(found.bytes, { headers: { "Content-Type": found.type, "Cache-Control": "no-cache" } });
	};
	app.get("/", () => page("index.html"));
	app.get("/docs", () => page("docs.html"));
	app.get("/page/:name", (c) => page(c.req.param("name")));
	app.use(
		"/generate",
		bodyLimit({
			maxSize: options.maxUpload,
			onError: () => {
				throw new HttpError(
					"too-large",
					`The upload has more than ${options.maxUpload} bytes.`,
					"Scale the picture down; 2,000 pixels are plenty.",
				);
			},
		}),
	);
	generateRoute(app, options);
	jobRoutes(app, queue);
	for (const path of ["/health", "/info", "/metrics", "/openapi.json", "/", "/docs", "/generate", "/jobs", "/jobs/:id"]) {
		app.all(path, (c) => {
			throw new HttpError("method", `${c.req.method} is not answered here.`, "See /docs.");
		});
	}
	return app;
}

/** Which stages can run. */
function stagesOf(workers: readonly WorkerReport[]): WorkerReport["stages"] {
	return { stage1: workers.some(({ stages }) => stages.stage1), stage2: workers.some(({ stages }) => stages.stage2) };
}

/** The body of GET /info, under the documented names. */
function info({ queue, workers }: AppOptions) {
	const present = workers();
	const stages = stagesOf(present);
	const seconds = queue.meanSeconds;
	const estimate = seconds === undefined ? null : `${Math.round(seconds)} s for the last jobs`;
	const cards = present.map(({ device, host }) => ({
		device: device.adapter,
		// WebGPU does not tell how much memory a card has.
		memory_mb: null,
		driver: device.driver,
		software: device.software,
		f16: device.f16,
		...(host !== undefined && { host }),
	}));
	return {
		api_version: packageVersion(),
		stages: {
			stage1: {
				available: stages.stage1,
				description: "A picture to five colour and five normal views and voxels.",
				requires_kaolin: false,
			},
			stage2: { available: stages.stage2, description: "Views and voxels to a textured mesh and Gaussians.", requires_kaolin: false },
		},
		time_estimate: estimate,
		gpu_info: { available: cards.length > 0, ...cards[0] },
		workers: cards,
		queue: { waiting: queue.waiting, limit: queue.limits.waiting, running: queue.running > 0, jobs_running: queue.running },
	};
}

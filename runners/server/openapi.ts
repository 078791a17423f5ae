import { defaults } from "../../engine/defaults.ts";
import { backgroundChoices } from "../cutOut.ts";
import { packageVersion } from "../project.ts";

const error = { $ref: "#/components/schemas/Error" };
const job = { $ref: "#/components/schemas/Job" };
const json = (schema: object) => ({ content: { "application/json": { schema } } });
const failure = (description: string) => ({ description, ...json(error) });
const text = (description: string, more: object = {}) => ({ type: "string", description, ...more });
const whole = (description: string, minimum: number, maximum: number, byDefault: number) => ({
	...{ type: "integer", description, minimum, maximum },
	default: byDefault,
});
const jobId = { name: "id", in: "path", required: true, schema: { type: "string", pattern: "^[0-9a-f]{32}$" } };

/** Fields of POST /generate. */
const formFields = {
	image: text("PNG, JPEG or WebP of one whole person.", { format: "binary" }),
	image_url: text("The picture's http(s) address instead; off unless the server was started with --allow-url."),
	stage: text("What runs.", { enum: ["both", "stage1", "stage2"], default: "both" }),
	job_id: text("With stage=stage2: the job whose stage 1 is gone on from."),
	stage1_steps: whole("Denoising steps of stage 1.", 1, 1000, defaults.steps),
	stage2_steps: whole("Steps of stage 2.", 1, 1000, defaults.stageTwoSteps),
	preset: text("Both numbers of steps by name.", { enum: Object.keys(defaults.presets), default: defaults.preset }),
	seed: whole("Of all random numbers.", 0, 2 ** 32 - 1, defaults.seed),
	guidance: { type: "number", description: "Guidance of stage 1.", default: defaults.guidance },
	background: text("How the person is cut out: auto removes what is opaque, where the server has the network for it.", {
		enum: [...backgroundChoices],
		default: "auto",
	}),
	texture_size: whole(
		"Pixels of the texture's side, a power of two; 0: a colour per vertex.",
		0,
		defaults.textureSizes[1],
		defaults.textureSize,
	),
	simplify: { type: "number", description: "Share of the faces that stays, or their number.", default: defaults.simplify },
	texture_effort: text("sketch: fewer pictures and steps, for CPUs.", { enum: ["full", "sketch"], default: "full" }),
	face_texels: {
		type: "number",
		description: "Texels per area of the head as a multiple of those elsewhere.",
		default: defaults.faceTexels,
	},
	normal_map: { type: "boolean", description: "The normal views as a normal map." },
	texture_format: text("Pictures in the GLB.", { enum: ["png", "webp"], default: "png" }),
	unlit: { type: "boolean", description: "Colours as they are, without light." },
	height: { type: "number", description: "Metres of the figure." },
	compress: { type: "boolean", description: "KHR_mesh_quantization and EXT_meshopt_compression." },
	mesh_format: text("Other files beside the GLB: obj, ply, or both with a comma between."),
	download: text("Waits for the end and answers with results: true or zip, glb, or json (the job). Without it the answer comes at once.", {
		enum: ["true", "false", "glb", "zip", "json"],
		default: "false",
	}),
	format: text("What download=true gives.", { enum: ["glb", "zip", "json"], default: "zip" }),
	stage1_only: { type: "boolean", description: "Another way to say stage=stage1." },
	graceful_fallback: { type: "boolean", description: "Accepted, without meaning." },
};

const generate = {
	summary: "A picture to a 3D human",
	requestBody: {
		required: true,
		content: { "multipart/form-data": { schema: { type: "object", additionalProperties: false, properties: formFields } } },
	},
	responses: {
		"200": {
			description: "With download: the results of the ended job.",
			content: { "application/json": { schema: job }, "model/gltf-binary": {}, "application/zip": {} },
		},
		"202": { description: "The job waits or runs; Location is its place.", ...json(job) },
		"400": failure("The body is no whole multipart form."),
		"409": failure("The job of job_id has no finished stage 1, or this job was cancelled (download)."),
		"413": failure("The upload is too large."),
		"422": failure("A field or the picture cannot be used."),
		"429": failure("The queue is full; Retry-After says when to try again."),
		"503": failure("No GPU, not enough memory on it, no weights, or the queue cannot be reached; Retry-After may say when to try again."),
		"507": failure("The disk is full."),
	},
};

const jobProperties = {
	job_id: text("32 hexadecimal digits"),
	status: text("Where it stands", { enum: ["queued", "running", "done", "failed", "cancelled"] }),
	stopping: { type: "boolean" },
	stage: text("What was asked for"),
	position: { type: ["integer", "null"], description: "Place in the queue, from 1" },
	progress: {
		type: ["object", "null"],
		description: "part, step, steps, elapsed_ms, eta_ms of the part that runs; views: link to coarse views",
	},
	created_at: text("ISO 8601"),
	started_at: { type: ["string", "null"] },
	finished_at: { type: ["string", "null"] },
	options: { type: "object" },
	error: { type: ["object", "null"], description: "code, message, hint where it failed" },
	result: { type: "object", description: "alpha_coverage, stage1 and stage2 with status, steps, output_dir, files; files: all of them" },
	links: { type: "object", description: "self, events, and where they are there glb, preview, zip" },
};

/** The interface as an OpenAPI 3.1 document. */
export function openApi() {
	const got = (summary: string, answer: object, parameters: readonly object[] = []) => ({
		get: {
			summary,
			parameters,
			responses: { "200": answer, ...(parameters.length > 0 && { "404": failure("There is no such job or file.") }) },
		},
	});
	return {
		openapi: "3.1.0",
		info: {
			title: "SyncHuman",
			version: packageVersion(),
			description: "One photograph of a person to a textured 3D human. Errors are {error: {code, message, hint}}.",
		},
		components: {
			securitySchemes: { token: { type: "http", scheme: "bearer", description: "Where the server was started with --token." } },
			schemas: {
				Error: {
					type: "object",
					properties: {
						error: { type: "object", properties: { code: text(""), message: text("What is wrong"), hint: { type: ["string", "null"] } } },
					},
				},
				Job: { type: "object", properties: jobProperties },
			},
		},
		security: [{}, { token: [] }],
		paths: {
			"/generate": { post: generate },
			"/jobs": got("All jobs, newest first", {
				description: "jobs",
				...json({ type: "object", properties: { jobs: { type: "array", items: job } } }),
			}),
			"/jobs/{id}": {
				...got("A job", { description: "As it stands", ...json(job) }, [jobId]),
				delete: {
					summary: "Cancels a job: one that waits at once, one that runs after its step; removes one that has ended",
					parameters: [jobId],
					responses: {
						"200": { description: "cancelled or removed" },
						"202": { description: "stopping" },
						"404": failure("There is no such job."),
						"409": failure("Another job goes on from this one."),
					},
				},
			},
			"/jobs/{id}/events": got(
				"A job after every change, as server-sent events `job`",
				{ description: "Until it has ended", content: { "text/event-stream": {} } },
				[jobId],
			),
			"/jobs/{id}/views.webp": got(
				"Coarse colour views of a job that runs: front, right, back, left, face in a row",
				{ description: "WebP, small", content: { "image/webp": {} } },
				[jobId],
			),
			"/jobs/{id}/stage1": got("Files of stage 1", { description: "output_dir, files" }, [jobId]),
			"/jobs/{id}/stage2": got("Files of stage 2", { description: "output_dir, files" }, [jobId]),
			"/jobs/{id}/results.zip": got(
				"stage1/, stage2/ and results_metadata.json",
				{ description: "ZIP", content: { "application/zip": {} } },
				[jobId],
			),
			"/jobs/{id}/{file}": got(
				"A file of the job, such as stage1/color_0.png, stage2/output.glb, preview.png, run.json",
				{ description: "The file" },
				[jobId, { name: "file", in: "path", required: true, schema: { type: "string" } }],
			),
			"/health": got("Whether the server is there", { description: "status, service, version, stage1, stage2" }),
			"/info": got("Stages, GPU and queue", { description: "api_version, stages, gpu_info, queue" }),
			"/metrics": got("Prometheus' text format", { description: "Metrics", content: { "text/plain": {} } }),
			"/docs": got("This interface as a page", { description: "HTML" }),
			"/openapi.json": got("This document", { description: "OpenAPI 3.1" }),
			"/": got("A page to use it", { description: "HTML" }),
		},
	};
}

import { createHash } from "node:crypto";
import { selectPromptEmbeddings } from "../../../weights/promptEmbeddings.ts";
import { toFloat32 } from "../../../weights/storedTensor.ts";
import { readTorchTensor } from "../../../weights/torchZip.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { cascadeSum } from "../cascadeSum.ts";

async function runPromptEmbeds(context: ParityContext): Promise<ParityOutputs> {
	const read = async (file: string) => {
		const source = await context.promptEmbeds?.open(file);
		if (source === undefined) throw new Error(`--prompt-embeds: ${file} is missing`);
		return readTorchTensor(source);
	};
	const stored = selectPromptEmbeddings(await read("normal_embeds.pt"), await read("clr_embeds.pt"));
	const sum = createHash("sha256").update(stored.bytes).digest("hex");
	if (sum !== context.meta.prompt_embeddings.sha256) throw new Error("sha256 of prompt_embeddings differs from case.json");
	context.note("sha256 of prompt_embeddings equal");
	const values = toFloat32(stored);
	const [rows, tokens, width] = stored.shape;
	const rowSize = tokens * width;
	const first = context.expected("first_tokens").shape[1];
	const firstTokens = new Float32Array(rows * first);
	const means = new Float32Array(rows);
	for (let row = 0; row < rows; row++) {
		const part = values.subarray(row * rowSize, (row + 1) * rowSize);
		firstTokens.set(part.subarray(0, first), row * first);
		means[row] = cascadeSum(part) / rowSize;
	}
	return new Map<string, HostTensor>([
		["prompt_embeddings", { shape: stored.shape, data: values }],
		["row_token_means", { shape: [rows], data: means }],
		["first_tokens", { shape: [rows, first], data: firstTokens }],
	]);
}

/** The text conditioning, from the official files given by --prompt-embeds. */
export const adapters: Adapters = {
	prompt_embeds: { runs: "host", required: (names) => names, run: runPromptEmbeds },
};

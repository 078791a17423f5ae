import { readRange } from "../../weights/byteSource.ts";
import { damaged, quoted } from "../../weights/damaged.ts";
import { convolutionsOfStateDict, foldedConvolutions } from "../../weights/foldedConvolutions.ts";
import { readOnnx } from "../../weights/onnx.ts";
import { convolutionsOfGraph, upsamplingOfGraph } from "../../weights/onnxConvolutions.ts";
import { openSafetensors } from "../../weights/safetensors.ts";
import type { ByteSource, TensorSource } from "../../weights/source.ts";
import { openTorchCheckpoint } from "../../weights/torchZip.ts";
import { type U2netConfig, u2netConfigOf, u2netConvolutions } from "./u2net.ts";

/** torch nn.BatchNorm2d's default, with which upstream makes every norm. */
const normEps = 1e-5;

/** A U2NET's weights, norms folded in, and its sizes. */
export interface U2netWeights {
	readonly tensors: TensorSource;
	readonly config: U2netConfig;
}

/**
 * Reads u2net.onnx or u2netp.onnx (rembg's), or a state dict as .pth or .safetensors; the first bytes say which. Of an ONNX file the graph is
 * walked: its convolutions in order are the network's, with their norms or without. Throws code "checkpoint" for anything else.
 */
export async function openU2netWeights(source: ByteSource): Promise<U2netWeights> {
	const head = source.byteLength < 9 ? new Uint8Array(9) : await readRange(source, 0, 9, "the first bytes");
	const zip = head[0] === 0x50 && head[1] === 0x4b;
	const pickle = head[0] === 0x80;
	// A safetensors header is JSON behind its length.
	if (zip || pickle || head[8] === 0x7b) {
		const stored = await (head[8] === 0x7b && !zip && !pickle ? openSafetensors(source) : openTorchCheckpoint(source));
		const tensors = foldedConvolutions(source.name, convolutionsOfStateDict(stored, normEps));
		return { tensors, config: u2netConfigOf(tensors) };
	}
	const graph = await readOnnx(source);
	const found = convolutionsOfGraph(graph);
	const expected = u2netConvolutions();
	const hint = "Give rembg's u2net.onnx or u2netp.onnx as released.";
	if (found.length !== expected.length) throw damaged(source.name, `has ${found.length} convolutions; U2NET has ${expected.length}`, hint);
	const convolutions = expected.map(({ name, kernel, dilation }, i) => {
		const { place, activated, ...convolution } = found[i];
		const fits = convolution.weight.shape[2] === kernel && convolution.dilation === dilation && activated === name.endsWith("conv_s1");
		if (!fits) throw damaged(source.name, `its convolution ${i}, ${quoted(place)}, is not U2NET's ${name}`, hint);
		return { ...convolution, name };
	});
	const tensors = foldedConvolutions(source.name, convolutions);
	return { tensors, config: u2netConfigOf(tensors, upsamplingOfGraph(graph)) };
}

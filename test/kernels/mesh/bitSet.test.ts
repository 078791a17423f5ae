import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { type BitSet, countOf, membersOfBits, rankBits, rankMembers, setLength } from "../../../engine/kernels/mesh/bitSet.ts";
import { mark } from "../../../engine/mesh/bitRank.ts";
import { runGraph, testDevice } from "../../support/gpu.ts";

const absent = 0xffffffff;

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

function setOf(words: number, ids: readonly number[]): BitSet {
	const values = new Uint32Array(setLength(words));
	for (const id of ids) mark(values, id);
	return { words, tensor: residentTensor(device, "set", "u32", [setLength(words)], values) };
}

describe("sets of bits", () => {
	// One workgroup ranks 2,048 words, eight of which share a rank.
	it.each([1, 7, 8, 9, 2047, 2048, 2049, 5000])("%i words: members, ranks and how many", async (words) => {
		const ids = Array.from({ length: words * 32 }, (_, id) => id).filter((id) => (id * 2654435761) % 97 < 9 || id >= words * 32 - 2);
		const set = setOf(words, ids);
		const asked = Uint32Array.from([0, 31, ids[0], ids[ids.length >> 1], ids[ids.length - 1], words * 32 - 3]);
		const [members, ranks, rows, counts] = await runGraph(device, (graph) => {
			rankBits(graph, set);
			const list = membersOfBits(graph, set, ids.length);
			const asIds = residentTensor(device, "asked", "u32", [asked.length], asked);
			return [list, rankMembers(graph, asIds, set), rankMembers(graph, asIds, set, list), set.tensor];
		});
		expect([...members]).toEqual(ids);
		const expected = [...asked].map((id) => ids.indexOf(id));
		expect([...ranks]).toEqual(expected.map((rank) => (rank < 0 ? Math.fround(absent) : rank)));
		expect([...rows]).toEqual(expected.map((rank) => (rank < 0 ? Math.fround(absent) : ids[rank])));
		expect(counts[countOf(set).byteOffset / 4]).toBe(ids.length);
	});

	it("an empty set has no members", async () => {
		const set = setOf(3, []);
		const [values] = await runGraph(device, (graph) => {
			rankBits(graph, set);
			return set.tensor;
		});
		expect([...values]).toEqual([0, 0, 0, 0, 0]);
	});
});

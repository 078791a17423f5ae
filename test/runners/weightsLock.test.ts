import { describe, expect, it } from "vitest";
import { readWeightsLock, weightsLockName } from "../../runners/weightsLock.ts";
import { expectDamaged, memoryFolder } from "../support/hostile.ts";

const folderWith = (text: string | undefined) => memoryFolder("weights", text === undefined ? {} : { [weightsLockName]: text });

describe("readWeightsLock", () => {
	it("reads lengths and hashes by name; no lock is an empty one", async () => {
		const sha256 = "0".repeat(64);
		const text = JSON.stringify({ revision: "x", files: { "OneStage/a.json": { byteLength: 3, sha256, source: "hub" } } });
		expect([...(await readWeightsLock(folderWith(text)))]).toEqual([["OneStage/a.json", { byteLength: 3, sha256 }]]);
		expect((await readWeightsLock(folderWith(undefined))).size).toBe(0);
	});

	it("names a damaged one", async () => {
		for (const text of [
			"{",
			"[]",
			'{"files": []}',
			'{"files": {"a": {"byteLength": 1}}}',
			'{"files": {"a": {"byteLength": 1, "sha256": "x"}}}',
		])
			await expectDamaged(() => readWeightsLock(folderWith(text)), /synchuman\.lock\.json: /, "weights");
	});
});

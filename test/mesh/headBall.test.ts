import { expect, it } from "vitest";
import { headBall } from "../../engine/mesh/headBall.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";

it("finds the head of an upright figure, not a hand that is higher", () => {
	const body = ballMesh([0, 0.1, 0], 0.3, 10);
	const head = ballMesh([0.02, -0.05, 0.42], 0.06, 10);
	const hand = ballMesh([0.4, 0, 0.47], 0.03, 6);
	const { centre, radius } = headBall(joinMeshes(joinMeshes(body, head), hand));
	expect(Math.hypot(centre[0] - 0.02, centre[1] + 0.05, centre[2] - 0.42)).toBeLessThan(0.03);
	expect(radius).toBeGreaterThan(0.06);
	expect(radius).toBeLessThan(0.09);
});

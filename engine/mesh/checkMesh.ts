import { SyncHumanError } from "../error.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Refuses, with code "input", what no finishing can work with: no faces, a single triangle, an index without a vertex, a position that is
 * not finite, arrays of wrong length. `step` opens the message.
 */
export function checkMesh(step: string, { positions, faces, colors }: Mesh): void {
	const count = positions.length / 3;
	const refuse = (what: string, hint?: string) => {
		throw new SyncHumanError("input", `${step}: ${what}`, hint);
	};
	if (!Number.isInteger(count) || faces.length % 3 !== 0) refuse("positions and faces must hold three values a row");
	if (faces.length === 0) refuse("the mesh has no faces", "The surface is empty: try another seed or picture.");
	if (faces.length === 3) refuse("the mesh is a single triangle, which has no surface to finish", "Try another seed or picture.");
	const broken = positions.findIndex((value) => !Number.isFinite(value));
	if (broken >= 0) refuse(`vertex ${Math.floor(broken / 3)} is not finite`, "The network gave NaN: try --dtype f32.");
	const beyond = faces.findIndex((vertex) => vertex >= count);
	if (beyond >= 0) refuse(`face ${Math.floor(beyond / 3)} names vertex ${faces[beyond]}, the mesh has ${count}`);
	if (colors !== undefined && colors.length !== positions.length) refuse(`colors must be ${count} x 3 values, got ${colors.length}`);
}

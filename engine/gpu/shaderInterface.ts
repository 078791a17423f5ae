import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import type { DType } from "./tensor.ts";

/** One storage buffer that a shader declares. */
export interface StorageBinding {
	readonly name: string;
	readonly group: number;
	readonly binding: number;
	readonly access: "read" | "read_write";
	/** Element type after aliases, without vec: f16 for array<vec4<f16>>. Atomics count as their inner type. */
	readonly dtype: DType;
	/** Elements of `dtype` in one array element: 4 for array<vec4<f16>>. */
	readonly lanes: number;
}

/** One member of the shader's `Params` struct: offset in bytes, scalar type, number of scalars. */
export interface ParamField {
	readonly name: string;
	readonly byteOffset: number;
	readonly type: "u32" | "i32" | "f32";
	readonly count: number;
}

/** What a shader's declarations (everything before its first `fn`) say. */
export interface ShaderInterface {
	readonly storage: readonly StorageBinding[];
	readonly params:
		| { readonly group: number; readonly binding: number; readonly byteLength: number; readonly fields: readonly ParamField[] }
		| undefined;
	readonly overrides: readonly string[];
}

interface ReflectedType {
	readonly name: string;
	readonly size: number;
	readonly format?: ReflectedType;
	readonly members?: readonly { name: string; offset: number; type: ReflectedType }[];
	readonly count?: number;
}

/** Reads bindings, `Params` and overrides out of WGSL; aliases must already be the wanted ones. */
export function reflectShader(name: string, code: string): ShaderInterface {
	const firstFunction = code.search(/^\s*(@compute|@workgroup_size|fn )/m);
	const declarations = firstFunction < 0 ? code : code.slice(0, firstFunction);
	const reflected = new WgslReflect(declarations);
	const storage = reflected.storage.map(
		(resource: { name: string; group: number; binding: number; access: string; type: ReflectedType }) => {
			const element = scalarOf(resource.type.format ?? resource.type);
			if (element === undefined || !["f32", "f16", "i32", "u32"].includes(element.type)) {
				throw new Error(`shader ${name}: binding ${resource.name} must be an array of f32, f16, i32 or u32 (or their vectors, or atomics)`);
			}
			return {
				name: resource.name,
				group: resource.group,
				binding: resource.binding,
				access: resource.access === "read_write" ? ("read_write" as const) : ("read" as const),
				dtype: element.type as DType,
				lanes: element.lanes,
			};
		},
	);
	const uniform = reflected.uniforms[0] as { group: number; binding: number; type: ReflectedType } | undefined;
	const params = uniform && {
		group: uniform.group,
		binding: uniform.binding,
		byteLength: Math.ceil(uniform.type.size / 16) * 16,
		fields: (uniform.type.members ?? []).map((member) => {
			const scalar = scalarOf(member.type);
			if (scalar === undefined || scalar.type === "f16")
				throw new Error(`shader ${name}: Params.${member.name} must be u32, i32, f32 or a vector of them`);
			return { name: member.name, byteOffset: member.offset, type: scalar.type as ParamField["type"], count: scalar.lanes };
		}),
	};
	return { storage, params, overrides: reflected.overrides.map((o: { name: string }) => o.name) };
}

function scalarOf(type: ReflectedType): { type: string; lanes: number } | undefined {
	const vector = /^vec([234])([fiuh])?$/.exec(type.name);
	if (vector) {
		const short = { f: "f32", i: "i32", u: "u32", h: "f16" }[vector[2] ?? ""];
		return { type: short ?? type.format?.name ?? "", lanes: Number(vector[1]) };
	}
	if (type.name === "atomic") return { type: type.format?.name ?? "", lanes: 1 };
	return { type: type.name, lanes: 1 };
}

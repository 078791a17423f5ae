// wgsl_reflect's package entry is broken in Node ESM; this is the module that works.
declare module "wgsl_reflect/wgsl_reflect.module.js" {
	export class WgslReflect {
		constructor(code: string);
		// biome-ignore lint/suspicious/noExplicitAny: the library's own types are not reachable from this entry
		readonly storage: any[];
		// biome-ignore lint/suspicious/noExplicitAny: the library's own types are not reachable from this entry
		readonly uniforms: any[];
		readonly overrides: { name: string }[];
	}
}

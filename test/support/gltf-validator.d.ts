declare module "gltf-validator" {
	/** The Khronos validator's report, as far as the tests read it. */
	interface Report {
		readonly issues: {
			readonly numErrors: number;
			readonly numWarnings: number;
			readonly numInfos: number;
			readonly numHints: number;
			readonly messages: readonly { readonly code: string; readonly severity: number; readonly message: string }[];
		};
	}
	export function validateBytes(bytes: Uint8Array): Promise<Report>;
}

/** Options of `download` for `parseArgs`. */
export const downloadOptions = {
	dir: { type: "string" },
	"accept-licences": { type: "boolean" },
	parallel: { type: "string" },
	mirror: { type: "string" },
	only: { type: "string" },
} as const;

/** Lines of `synchuman --help`. */
export const downloadHelp = `\
download (HF_TOKEN, HF_ENDPOINT and HTTP(S)_PROXY are honoured):
  --dir DIR                weights folder (default ckpts)
  --accept-licences        agrees to the licences that are shown, for scripts
  --mirror URL|DIR         a copy of all files under their names, in the place of their sources
  --only NAME,...          some of the sets: SyncHuman, DINOv2, prompt embeddings, U^2-Net; and PSHuman, which comes only so
  --parallel N             files at a time (default 4)`;

// What the host says to every attention kernel but attentionFewKeys.wgsl, included between their own overrides and their bindings.
override hasQueryRows: bool = false;
override hasKeyRows: bool = false;
override hasWindows: bool = false;
override blockedY: bool = false; // y lies in blocks (blocks.wgsl): of kernels on subgroup matrices
struct Params {
  heads: u32, headVectors: u32, sequences: u32, // headVectors, strides and columns: in vectors of four
  firstSequence: u32,                         // of this window, for keySequences
  keySequences: u32, queries: u32, keys: u32, // sequence s reads keys of s mod keySequences; rows per sequence
  queryTiles: u32,
  queryStride: u32, queryColumn: u32,
  keyStride: u32, keyColumn: u32,
  valueStride: u32, valueColumn: u32,
  outputStride: u32,
  wholeTiles: u32, parts: u32,                // of attentionKeyParts.wgsl
  scale: f32,                                 // times log2(e): the softmax is taken with exp2
}

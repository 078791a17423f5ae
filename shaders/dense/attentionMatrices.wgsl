// What attentionSubgroupMatrix.wgsl and attentionKeyParts.wgsl declare alike, behind their bindings.
const tileQueries = 128u;
const tileKeys = 16u;
const rowPitch = 5u;                        // of scores, in vectors of 16 bytes: 16 floats or 32 halves, and one of padding
const matrixPitch = 2u * rowPitch;          // between the rows of a matrix of every second query
const rowsApart = tileQueries / 4u;         // that a thread moves
override wholeKeyTiles: bool = false;       // keys are a multiple of 16 and have no table
override vectors: u32 = 2u * headBlocks;    // of eight halves, of a head
override pitch: u32 = vectors + 1u;         // between keys of a tile
// Two vectors more than the keys need: the compiler asks for them in code that heads of 64 leave out.
var<workgroup> tileK: array<vec4<u32>, tileKeys * pitch + 2u>;
var<workgroup> tileV: array<vec4<u32>, tileKeys * pitch + 2u>;
var<workgroup> scores: array<vec4<u32>, tileQueries * rowPitch>; // queries at first, sums at last
var<workgroup> grown: atomic<u32>;          // last tile in which a largest score grew

// include "dense/attentionScoreRows"

// After the first function: the reader of declarations cannot parse these types.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

// The same function, bindings and Params as attention.wgsl for heads of 64 and 80 in f16, on subgroup matrices; headVectors, strides and
// columns count vectors of eight halves, outputStride vectors of four. Needs a positive scale.
//
// One workgroup: 128 queries of one sequence and head, 32 a subgroup, over tiles of 16 keys that its four subgroups share; the next tiles
// are fetched into registers beside the sums. Matrix elements are out of WGSL's reach, so scores pass through workgroup memory: the row of
// a query in `scores` holds its 16 scores (f32), then in its first half their softmax weights (f16). In between one thread owns one query.
// Sums are rescaled, through the rows, only when some query's largest score has grown by more than 8 (weights reach 2^8, well inside f16).
// No masks: behind the last key stand its repetitions with values of zero, and what they added to `total` is taken off at the end.
//
// Legal, and why every barrier is there: what other lanes wrote, even of the same subgroup, may only be read behind a barrier (WGSL has none
// for a subgroup). Per tile: weights and V are read | scores stored | scores read (K is used up), weights, V, the next K and `grown` stored,
// then `grown` read, twice a barrier: weights are there. Rows are rescaled with the weights already in registers.
// Even queries of a subgroup are one matrix of scores and odd ones the other: its rows are then 160 bytes apart and storing 16 x 16 floats
// touches every bank once. Weights and sums are matrices of 16 queries in order: rows 80 bytes apart load without conflicts.
// What was tried, and how much memory and how many registers it may take: docs/attention.md. attentionKeyParts.wgsl is the same in parts.
alias Output = f32;
override headBlocks: u32 = 4;               // head size / 16: 4 or 5
// include "dense/attentionParams"
@group(0) @binding(0) var<storage, read> q: array<vec4<u32>>;        // f16 [rows, queryStride]
@group(0) @binding(1) var<storage, read> k: array<vec4<u32>>;        // f16 [key rows, keyStride]
@group(0) @binding(2) var<storage, read> v: array<vec4<u32>>;        // f16 [key rows, valueStride]
@group(0) @binding(3) var<storage, read> queryRows: array<u32>;      // [positions]: row of q and y
@group(0) @binding(4) var<storage, read> keyRows: array<u32>;        // [key positions]: row of k and v
@group(0) @binding(5) var<storage, read> offsets: array<u32>;        // [sequences + 1]: positions of each sequence, queries and keys alike
@group(0) @binding(6) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(7) var<uniform> params: Params;

// include "dense/attentionMatrices"
@compute @workgroup_size(tileQueries)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  let sequence = index / params.queryTiles / params.heads;
  if (sequence >= params.sequences) { return; }
  let head = index / params.queryTiles % params.heads;
  let query0 = index % params.queryTiles * tileQueries;
  var firstQuery = sequence * params.queries;
  var firstKey = (params.firstSequence + sequence) % params.keySequences * params.keys;
  var queryCount = params.queries;
  var keyCount = params.keys;
  if (hasWindows) {
    firstQuery = offsets[sequence];
    firstKey = firstQuery;
    queryCount = offsets[sequence + 1u] - firstQuery;
    keyCount = queryCount;
  }
  if (query0 >= queryCount) { return; }
// include "dense/attentionSums"
// include "dense/attentionSumRows"
}

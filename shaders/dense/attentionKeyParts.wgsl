// attentionSubgroupMatrix.wgsl over runs of rows, where the last wave of workgroups would leave most of a GPU idle: the query tiles from
// `wholeTiles` on are computed by `parts` workgroups each, over a part of the keys. These store their sums as the matrices that they are,
// and attentionKeyPartsJoin.wgsl puts them together.
alias Output = f32;
override headBlocks: u32 = 4;               // head size / 16: 4 or 5
// include "dense/attentionParams"
@group(0) @binding(0) var<storage, read> q: array<vec4<u32>>;        // f16 [rows, queryStride]
@group(0) @binding(1) var<storage, read> k: array<vec4<u32>>;        // f16 [key rows, keyStride]
@group(0) @binding(2) var<storage, read> v: array<vec4<u32>>;        // f16 [key rows, valueStride]
@group(0) @binding(3) var<storage, read> queryRows: array<u32>;      // [positions]: row of q and y
@group(0) @binding(4) var<storage, read> keyRows: array<u32>;        // [key positions]: row of k and v
@group(0) @binding(5) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(6) var<storage, read_write> sums: array<vec4f>; // as attentionKeyPartsJoin.wgsl says
@group(0) @binding(7) var<uniform> params: Params;

// include "dense/attentionMatrices"
@compute @workgroup_size(tileQueries)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  let rest = params.queryTiles * params.heads * params.sequences - params.wholeTiles; // tiles in parts
  let slot = index - params.wholeTiles;        // of a tile in parts, the first parts of all tiles first
  let inParts = index >= params.wholeTiles;
  if (inParts && slot >= rest * params.parts) { return; }
  var tile = index;
  var part = 0u;
  var parts = 1u;
  if (inParts) {
    tile = params.wholeTiles + slot % rest;
    part = slot / rest;
    parts = params.parts;
  }
  let sequence = tile / params.queryTiles / params.heads;
  let head = tile / params.queryTiles % params.heads;
  let query0 = tile % params.queryTiles * tileQueries;
  let firstQuery = sequence * params.queries;
  let queryCount = params.queries;
  let keyTiles = (params.keys + tileKeys - 1u) / tileKeys;
  let fromTile = part * keyTiles / parts;
  let endTile = (part + 1u) * keyTiles / parts;
  let firstKey = (params.firstSequence + sequence) % params.keySequences * params.keys + fromTile * tileKeys;
  let keyCount = min(params.keys, endTile * tileKeys) - fromTile * tileKeys;
// include "dense/attentionSums"
  if (inParts) {
    let to = slot * (512u * headBlocks) + thread / 32u * (128u * headBlocks);
    subgroupMatrixStore<row_major>(&sums, to, low0, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 64u, low1, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 128u, low2, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 192u, low3, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 64u * headBlocks, high0, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 64u * headBlocks + 64u, high1, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 64u * headBlocks + 128u, high2, 4u);
    subgroupMatrixStore<row_major>(&sums, to + 64u * headBlocks + 192u, high3, 4u);
    if (headBlocks > 4u) {
      subgroupMatrixStore<row_major>(&sums, to + 256u, low4, 4u);
      subgroupMatrixStore<row_major>(&sums, to + 64u * headBlocks + 256u, high4, 4u);
    }
    sums[rest * params.parts * (512u * headBlocks) + slot * tileQueries + thread] = vec4f(largest, total, 0.0, 0.0);
    return;
  }
// include "dense/attentionSumRows"
}

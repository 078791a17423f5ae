// The end of attention over query tiles in parts: y = sum of parts, each scaled by exp2(its largest score - the largest of all), over the sum of
// weights scaled alike, in the order of the parts. A thread: four columns of a query, in the order of the sums.
alias Output = f32;
override headBlocks: u32 = 4;
override workgroupSize: u32 = 128;
// include "dense/attentionParams"
@group(0) @binding(0) var<storage, read> sums: array<vec4f>; // [parts, tiles, subgroups, 2, headBlocks, 16, 16], then [parts, tiles, 128] (largest score, sum of weights, 0, 0)
@group(0) @binding(1) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(2) var<uniform> params: Params;

// include "dense/blocks"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (group.x + group.y * groups.x) * workgroupSize + thread;
  let vectors = 512u * headBlocks;             // of a tile
  let rest = params.queryTiles * params.heads * params.sequences - params.wholeTiles;
  if (at >= rest * vectors) { return; }
  let matrix = at / 64u % (2u * headBlocks);
  let ofTile = at % vectors / (128u * headBlocks) * 32u + matrix / headBlocks * 16u + at / 4u % 16u; // query
  let tile = params.wholeTiles + at / vectors;
  let query = tile % params.queryTiles * 128u + ofTile;
  if (query >= params.queries) { return; }
  let statistics = rest * params.parts * vectors + at / vectors * 128u + ofTile;
  var largest = sums[statistics].x;
  for (var part = 1u; part < params.parts; part++) { largest = max(largest, sums[statistics + part * rest * 128u].x); }
  var total = 0.0;
  var sum = vec4f();
  for (var part = 0u; part < params.parts; part++) {
    let ofPart = sums[statistics + part * rest * 128u].xy;
    let factor = exp2(ofPart.x - largest);
    total += factor * ofPart.y;
    sum += factor * sums[part * rest * vectors + at];
  }
  let row = tile / params.queryTiles / params.heads * params.queries + query;
  let column = tile / params.queryTiles % params.heads * 4u * headBlocks + matrix % headBlocks * 4u + at % 4u;
  y[placeInBlocks(blockedY, row, column, params.outputStride, 8u)] = vec4<Output>(sum / total);
}

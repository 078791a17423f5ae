// y[q, head, :] = sum_k softmax_k(scale * Q[q, head, :] . K[k, head, :]) V[k, head, :], for heads of 132 to 512: the middle of the VAE.
//
// As attention.wgsl, but a head does not fit workgroup memory: one workgroup owns 16 queries; scores are summed over chunks of 128 of
// the head, queries and keys read again for each; every thread owns four columns of the output for all 16 queries, so that values are
// read once, straight from memory.
alias Query = f32;
alias Key = f32;
alias Value = f32;
alias Output = f32;
// include "dense/attentionParams"
@group(0) @binding(0) var<storage, read> q: array<vec4<Query>>;      // [rows, queryStride]
@group(0) @binding(1) var<storage, read> k: array<vec4<Key>>;        // [key rows, keyStride]
@group(0) @binding(2) var<storage, read> v: array<vec4<Value>>;      // [key rows, valueStride]
@group(0) @binding(3) var<storage, read> queryRows: array<u32>;      // [positions]: row of q and y
@group(0) @binding(4) var<storage, read> keyRows: array<u32>;        // [key positions]: row of k and v
@group(0) @binding(5) var<storage, read> offsets: array<u32>;        // [sequences + 1]: positions of each sequence, queries and keys alike
@group(0) @binding(6) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(7) var<uniform> params: Params;

const threads = 128u;
const tileQueries = 16u;
const tileKeys = 32u;
const fours = 8u;                     // tileKeys / 4
const chunkVectors = 32u;
const scoreStride = 9u;
const lowest = -3.0e38;
var<workgroup> queryTile: array<vec4f, 528>;   // [query, chunk vector], one of padding
var<workgroup> keyTile: array<vec4f, 1024>;    // [chunk column, key / 4]
var<workgroup> scores: array<vec4f, 144>;      // [query, key / 4], one of padding
var<workgroup> factors: array<f32, 16>;

// include "dense/attentionRows"

@compute @workgroup_size(threads)
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
  let queryColumn = params.queryColumn + head * params.headVectors;
  let keyColumn = params.keyColumn + head * params.headVectors;
  let valueColumn = params.valueColumn + head * params.headVectors + thread;
  var sums: array<vec4f, 16>;          // of this thread's four columns
  var largest = lowest;                // of query `thread`, so far
  var total = 0.0;
  for (var key0 = 0u; key0 < keyCount; key0 += tileKeys) {
    var dots = vec4f(0.0);             // query thread / 8 with four keys
    for (var chunk = 0u; chunk < params.headVectors; chunk += chunkVectors) {
      let width = min(chunkVectors, params.headVectors - chunk);
      for (var i = thread; i < tileQueries * chunkVectors; i += threads) {
        let row = i / chunkVectors;
        let column = i % chunkVectors;
        var value = vec4f(0.0);
        if (query0 + row < queryCount && column < width) {
          value = params.scale * vec4f(q[queryRow(firstQuery + query0 + row) * params.queryStride + queryColumn + chunk + column]);
        }
        queryTile[row * (chunkVectors + 1u) + column] = value;
      }
      for (var i = thread; i < tileKeys * chunkVectors; i += threads) {
        let key = i % tileKeys;
        let column = i / tileKeys;
        var value = vec4f(0.0);
        if (key0 + key < keyCount && column < width) { value = vec4f(k[keyRow(firstKey + key0 + key) * params.keyStride + keyColumn + chunk + column]); }
        let to = column * 4u * fours + key / 4u;
        keyTile[to][key % 4u] = value.x;
        keyTile[to + fours][key % 4u] = value.y;
        keyTile[to + 2u * fours][key % 4u] = value.z;
        keyTile[to + 3u * fours][key % 4u] = value.w;
      }
      workgroupBarrier();
      for (var column = 0u; column < width; column++) {
        let value = queryTile[thread / fours * (chunkVectors + 1u) + column];
        let first = column * 4u * fours + thread % fours;
        dots += value.x * keyTile[first];
        dots += value.y * keyTile[first + fours];
        dots += value.z * keyTile[first + 2u * fours];
        dots += value.w * keyTile[first + 3u * fours];
      }
      workgroupBarrier();
    }
    let inside = vec4u(key0 + thread % fours * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(keyCount);
    scores[thread / fours * scoreStride + thread % fours] = select(vec4f(lowest), dots, inside);
    workgroupBarrier();
    if (thread < tileQueries) {
      var best = vec4f(largest);
      for (var four = 0u; four < fours; four++) { best = max(best, scores[thread * scoreStride + four]); }
      let grown = max(max(best.x, best.y), max(best.z, best.w));
      let factor = exp2(largest - grown);
      var added = vec4f(0.0);
      for (var four = 0u; four < fours; four++) {
        let weight = exp2(scores[thread * scoreStride + four] - grown);
        added += weight;
        scores[thread * scoreStride + four] = weight;
      }
      total = total * factor + added.x + added.y + added.z + added.w;
      largest = grown;
      factors[thread] = factor;
    }
    workgroupBarrier();
    for (var r = 0u; r < tileQueries; r++) { sums[r] *= factors[r]; }
    if (thread < params.headVectors) {
      for (var four = 0u; four * 4u < min(tileKeys, keyCount - key0); four++) {
        var values = array<vec4f, 4>();
        for (var j = 0u; j < 4u; j++) {
          let key = key0 + four * 4u + j;
          if (key < keyCount) { values[j] = vec4f(v[keyRow(firstKey + key) * params.valueStride + valueColumn]); }
        }
        for (var r = 0u; r < tileQueries; r++) {
          let weight = scores[r * scoreStride + four];
          sums[r] += weight.x * values[0] + weight.y * values[1] + weight.z * values[2] + weight.w * values[3];
        }
      }
    }
    workgroupBarrier();
  }
  if (thread < tileQueries) { factors[thread] = 1.0 / total; }
  workgroupBarrier();
  if (thread >= params.headVectors) { return; }
  for (var r = 0u; r < tileQueries; r++) {
    if (query0 + r < queryCount) { y[queryRow(firstQuery + query0 + r) * params.outputStride + head * params.headVectors + thread] = vec4<Output>(sums[r] * factors[r]); }
  }
}

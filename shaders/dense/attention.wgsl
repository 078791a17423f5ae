// y[q, head, :] = sum_k softmax_k(scale * Q[q, head, :] . K[k, head, :]) V[k, head, :], for every sequence and head of at most 128.
//
// Online softmax (Milakov and Gimelshein 2018; FlashAttention, Dao et al. 2022): no matrix of scores in memory. One workgroup owns
// rowsPerThread * threadsY queries of one sequence and head and walks the keys in tiles of 32. A thread computes rowsPerThread x 4
// scores and keeps rowsPerThread x (4 * vectorsPerThread) of the output in registers; its queries are threadsY apart, its columns 8
// vectors apart, so that neighbouring threads touch neighbouring banks. Keys stand transposed in workgroup memory, then values in the
// same place; everything in f32.
// Longer than 150 lines: one loop over the keys, whose sums stay in registers.
alias Query = f32;
alias Key = f32;
alias Value = f32;
alias Output = f32;
override rowsPerThread: u32 = 8;      // at most 8
override threadsY: u32 = 8;
override vectorsPerThread: u32 = 2;   // ceil(headVectors / 8), at most 4
// include "dense/attentionParams"
@group(0) @binding(0) var<storage, read> q: array<vec4<Query>>;      // [rows, queryStride]
@group(0) @binding(1) var<storage, read> k: array<vec4<Key>>;        // [key rows, keyStride]
@group(0) @binding(2) var<storage, read> v: array<vec4<Value>>;      // [key rows, valueStride]
@group(0) @binding(3) var<storage, read> queryRows: array<u32>;      // [positions]: row of q and y
@group(0) @binding(4) var<storage, read> keyRows: array<u32>;        // [key positions]: row of k and v
@group(0) @binding(5) var<storage, read> offsets: array<u32>;        // [sequences + 1]: positions of each sequence, queries and keys alike
@group(0) @binding(6) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(7) var<uniform> params: Params;

const threadsX = 8u;
const tileKeys = 32u;
const keyStride = 9u;                 // vectors of a row of 32 keys, one of padding
const lowest = -3.0e38;
var<workgroup> queryTile: array<vec4f, rowsPerThread * threadsY * (threadsX * vectorsPerThread + 1u)>; // [query, head vector], one of padding
var<workgroup> tile: array<vec4f, 4u * keyStride * threadsX * vectorsPerThread>; // keys [head column, key / 4] or values [key, head vector]
var<workgroup> scores: array<vec4f, rowsPerThread * threadsY * keyStride>;       // [query, key / 4]
var<workgroup> factors: array<f32, rowsPerThread * threadsY>;                    // rescaling of each query's sums

// include "dense/attentionRows"

@compute @workgroup_size(threadsX, threadsY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = group.x + group.y * groups.x;
  let sequence = index / params.queryTiles / params.heads;
  if (sequence >= params.sequences) { return; }
  let head = index / params.queryTiles % params.heads;
  let query0 = index % params.queryTiles * rowsPerThread * threadsY;
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
  let thread = local.x + local.y * threadsX;
  let tileQueries = rowsPerThread * threadsY;
  let headWidth = threadsX * vectorsPerThread;
  let queryStride = headWidth + 1u;
  let queryColumn = params.queryColumn + head * params.headVectors;
  let keyColumn = params.keyColumn + head * params.headVectors;
  let valueColumn = params.valueColumn + head * params.headVectors;

  for (var row = local.y; row < tileQueries; row += threadsY) {
    for (var column = local.x; column < params.headVectors; column += threadsX) {
      var value = vec4f(0.0);
      if (query0 + row < queryCount) { value = params.scale * vec4f(q[queryRow(firstQuery + query0 + row) * params.queryStride + queryColumn + column]); }
      queryTile[row * queryStride + column] = value;
    }
  }
  var sums: array<vec4f, 32>;          // [rowsPerThread][vectorsPerThread]
  var largest = lowest;                // of query `thread`, so far
  var total = 0.0;
  for (var key0 = 0u; key0 < keyCount; key0 += tileKeys) {
    for (var key = local.x; key < tileKeys; key += threadsX) {
      for (var column = local.y; column < params.headVectors; column += threadsY) {
        var value = vec4f(0.0);
        if (key0 + key < keyCount) { value = vec4f(k[keyRow(firstKey + key0 + key) * params.keyStride + keyColumn + column]); }
        let to = column * 4u * keyStride + key / 4u;
        tile[to][key % 4u] = value.x;
        tile[to + keyStride][key % 4u] = value.y;
        tile[to + 2u * keyStride][key % 4u] = value.z;
        tile[to + 3u * keyStride][key % 4u] = value.w;
      }
    }
    workgroupBarrier();
    var dots = array<vec4f, 8>();      // [rowsPerThread] of four keys
    for (var column = 0u; column < params.headVectors; column++) {
      let first = column * 4u * keyStride + local.x;
      let k0 = tile[first];
      let k1 = tile[first + keyStride];
      let k2 = tile[first + 2u * keyStride];
      let k3 = tile[first + 3u * keyStride];
      for (var r = 0u; r < rowsPerThread; r++) {
        let value = queryTile[(local.y + threadsY * r) * queryStride + column];
        dots[r] += value.x * k0;
        dots[r] += value.y * k1;
        dots[r] += value.z * k2;
        dots[r] += value.w * k3;
      }
    }
    let inside = vec4u(key0 + local.x * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(keyCount);
    for (var r = 0u; r < rowsPerThread; r++) { scores[(local.y + threadsY * r) * keyStride + local.x] = select(vec4f(lowest), dots[r], inside); }
    workgroupBarrier();
    for (var key = local.y; key < tileKeys; key += threadsY) {
      for (var column = local.x; column < params.headVectors; column += threadsX) {
        var value = vec4f(0.0);
        if (key0 + key < keyCount) { value = vec4f(v[keyRow(firstKey + key0 + key) * params.valueStride + valueColumn + column]); }
        tile[key * headWidth + column] = value;
      }
    }
    if (thread < tileQueries) {
      var best = vec4f(largest);
      for (var four = 0u; four < threadsX; four++) { best = max(best, scores[thread * keyStride + four]); }
      let grown = max(max(best.x, best.y), max(best.z, best.w));
      let factor = exp2(largest - grown);
      var added = vec4f(0.0);
      for (var four = 0u; four < threadsX; four++) {
        let weight = exp2(scores[thread * keyStride + four] - grown);
        added += weight;
        scores[thread * keyStride + four] = weight;
      }
      total = total * factor + added.x + added.y + added.z + added.w;
      largest = grown;
      factors[thread] = factor;
    }
    workgroupBarrier();
    for (var r = 0u; r < rowsPerThread; r++) {
      let scale = factors[local.y + threadsY * r];
      for (var c = 0u; c < vectorsPerThread; c++) { sums[r * vectorsPerThread + c] *= scale; }
    }
    let fours = min(threadsX, (keyCount - key0 + 3u) / 4u);
    for (var four = 0u; four < fours; four++) {
      var values: array<vec4f, 16>;    // [4 keys][vectorsPerThread]
      for (var j = 0u; j < 4u; j++) {
        for (var c = 0u; c < vectorsPerThread; c++) { values[j * vectorsPerThread + c] = tile[(four * 4u + j) * headWidth + local.x + threadsX * c]; }
      }
      for (var r = 0u; r < rowsPerThread; r++) {
        let weight = scores[(local.y + threadsY * r) * keyStride + four];
        for (var c = 0u; c < vectorsPerThread; c++) {
          sums[r * vectorsPerThread + c] += weight.x * values[c];
          sums[r * vectorsPerThread + c] += weight.y * values[vectorsPerThread + c];
          sums[r * vectorsPerThread + c] += weight.z * values[2u * vectorsPerThread + c];
          sums[r * vectorsPerThread + c] += weight.w * values[3u * vectorsPerThread + c];
        }
      }
    }
    workgroupBarrier();
  }
  if (thread < tileQueries) { factors[thread] = 1.0 / total; }
  workgroupBarrier();
  for (var r = 0u; r < rowsPerThread; r++) {
    let row = local.y + threadsY * r;
    if (query0 + row >= queryCount) { continue; }
    for (var c = 0u; c < vectorsPerThread; c++) {
      let column = local.x + threadsX * c;
      if (column >= params.headVectors) { continue; }
      y[queryRow(firstQuery + query0 + row) * params.outputStride + head * params.headVectors + column] = vec4<Output>(sums[r * vectorsPerThread + c] * factors[row]);
    }
  }
}

// y[q, head, :] = sum_k softmax_k(scale * Q[q, head, :] . K[k, head, :]) V[k, head, :], for heads of at most 16: the function, bindings
// and Params of attention.wgsl without workgroup memory and barriers, which software drivers pay dearly.
//
// One thread owns one query: its vectors and sums stay in registers, keys and values are read by all threads of a workgroup in the same
// order, four at a time.
alias Query = f32;
alias Key = f32;
alias Value = f32;
alias Output = f32;
override headVectors: u32 = 4;        // head size / 4, at most 4
// include "dense/attentionParams"
@group(0) @binding(0) var<storage, read> q: array<vec4<Query>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Key>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Value>>;
@group(0) @binding(3) var<storage, read> queryRows: array<u32>;
@group(0) @binding(4) var<storage, read> keyRows: array<u32>;
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<Output>>;
@group(0) @binding(7) var<uniform> params: Params;

const lowest = -3.0e38;

// Unrolled by hand: arrays indexed in loops live in memory on software drivers.
fn score(at: u32, q0: vec4f, q1: vec4f, q2: vec4f, q3: vec4f) -> f32 {
  var sum = q0 * vec4f(k[at]);
  if (headVectors > 1u) { sum += q1 * vec4f(k[at + 1u]); }
  if (headVectors > 2u) { sum += q2 * vec4f(k[at + 2u]); }
  if (headVectors > 3u) { sum += q3 * vec4f(k[at + 3u]); }
  return sum.x + sum.y + sum.z + sum.w;
}

fn keyRowAt(position: u32) -> u32 {
  if (hasKeyRows) { return keyRows[position]; }
  return position;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  let sequence = index / params.queryTiles / params.heads;
  if (sequence >= params.sequences) { return; }
  let head = index / params.queryTiles % params.heads;
  let query = index % params.queryTiles * 64u + thread;
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
  if (query >= queryCount) { return; }
  var row = firstQuery + query;
  if (hasQueryRows) { row = queryRows[row]; }
  let queryAt = row * params.queryStride + params.queryColumn + head * headVectors;
  let keyColumn = params.keyColumn + head * headVectors;
  let valueColumn = params.valueColumn + head * headVectors;
  let q0 = params.scale * vec4f(q[queryAt]);
  var q1: vec4f;
  var q2: vec4f;
  var q3: vec4f;
  if (headVectors > 1u) { q1 = params.scale * vec4f(q[queryAt + 1u]); }
  if (headVectors > 2u) { q2 = params.scale * vec4f(q[queryAt + 2u]); }
  if (headVectors > 3u) { q3 = params.scale * vec4f(q[queryAt + 3u]); }
  var sum0: vec4f;
  var sum1: vec4f;
  var sum2: vec4f;
  var sum3: vec4f;
  var largest = lowest;
  var total: vec4f;
  for (var key0 = 0u; key0 < keyCount; key0 += 4u) {
    let rows = vec4u(
      keyRowAt(firstKey + key0), keyRowAt(firstKey + min(key0 + 1u, keyCount - 1u)),
      keyRowAt(firstKey + min(key0 + 2u, keyCount - 1u)), keyRowAt(firstKey + min(key0 + 3u, keyCount - 1u)));
    let keyAt = rows * params.keyStride + keyColumn;
    var scores = vec4f(
      score(keyAt.x, q0, q1, q2, q3), score(keyAt.y, q0, q1, q2, q3), score(keyAt.z, q0, q1, q2, q3), score(keyAt.w, q0, q1, q2, q3));
    scores = select(vec4f(lowest), scores, vec4u(key0) + vec4u(0u, 1u, 2u, 3u) < vec4u(keyCount));
    let grown = max(max(largest, max(scores.x, scores.y)), max(scores.z, scores.w));
    let factor = exp2(largest - grown);
    let weights = exp2(scores - grown);
    largest = grown;
    total = total * factor + weights;
    let at = rows * params.valueStride + valueColumn;
    sum0 = sum0 * factor + weights.x * vec4f(v[at.x]) + weights.y * vec4f(v[at.y]) + weights.z * vec4f(v[at.z]) + weights.w * vec4f(v[at.w]);
    if (headVectors > 1u) {
      sum1 = sum1 * factor + weights.x * vec4f(v[at.x + 1u]) + weights.y * vec4f(v[at.y + 1u]) + weights.z * vec4f(v[at.z + 1u]) + weights.w * vec4f(v[at.w + 1u]);
    }
    if (headVectors > 2u) {
      sum2 = sum2 * factor + weights.x * vec4f(v[at.x + 2u]) + weights.y * vec4f(v[at.y + 2u]) + weights.z * vec4f(v[at.z + 2u]) + weights.w * vec4f(v[at.w + 2u]);
    }
    if (headVectors > 3u) {
      sum3 = sum3 * factor + weights.x * vec4f(v[at.x + 3u]) + weights.y * vec4f(v[at.y + 3u]) + weights.z * vec4f(v[at.z + 3u]) + weights.w * vec4f(v[at.w + 3u]);
    }
  }
  let inverse = 1.0 / (total.x + total.y + total.z + total.w);
  let to = row * params.outputStride + head * headVectors;
  y[to] = vec4<Output>(sum0 * inverse);
  if (headVectors > 1u) { y[to + 1u] = vec4<Output>(sum1 * inverse); }
  if (headVectors > 2u) { y[to + 2u] = vec4<Output>(sum2 * inverse); }
  if (headVectors > 3u) { y[to + 3u] = vec4<Output>(sum3 * inverse); }
}

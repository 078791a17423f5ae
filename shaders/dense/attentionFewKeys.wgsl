// y[q, head, :] = sum_j softmax_j(scale * Q[q, head, :] . K[keyRows[q, j], head, :]) V[keyRows[q, j], head, :], at most 16 keys a query.
//
// threadsPerHead threads share a query and head, heads next to each other, and take turns with its vectors, so that neighbouring threads read
// neighbouring vectors. The table counts within one sequence, all of which share it; a negative entry is no key, and a query without keys gives
// 0. On an H200 (8,192 queries x 4 keys and 2,304 x 16, 16 heads of 64, f16; threads a head: microseconds): 1: 153, 154; 4: 41, 60; 8: 31, 53;
// 16: 45, 59.
alias Query = f32;
alias Key = f32;
alias Value = f32;
alias Output = f32;
override keys: u32 = 4;               // at most 16
override hasQueryRows: bool = false;
override workgroupSize: u32 = 64;
override threadsPerHead: u32 = 1;     // a divisor of workgroupSize
struct Params {
  heads: u32, headVectors: u32, sequences: u32, queries: u32,   // headVectors: head size / 4
  queryRowsPerSequence: u32, keyRowsPerSequence: u32,           // rows between sequences
  queryStride: u32, queryColumn: u32,                           // strides and columns in vectors of four
  keyStride: u32, keyColumn: u32,
  valueStride: u32, valueColumn: u32,
  outputStride: u32,
  scale: f32,
}
@group(0) @binding(0) var<storage, read> q: array<vec4<Query>>;        // [rows, queryStride]
@group(0) @binding(1) var<storage, read> k: array<vec4<Key>>;          // [key rows, keyStride]
@group(0) @binding(2) var<storage, read> v: array<vec4<Value>>;        // [key rows, valueStride]
@group(0) @binding(3) var<storage, read> keyRows: array<i32>;          // [queries, keys]
@group(0) @binding(4) var<storage, read> queryRows: array<u32>;        // [queries]: row of q and y
@group(0) @binding(5) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(6) var<uniform> params: Params;

const lowest = -3.0e38;

// Each thread's part of the scores, [heads of the workgroup, keys, threadsPerHead]; then the scores, [.., .., 0].
var<workgroup> scores: array<f32, workgroupSize * keys>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (group.x + group.y * groups.x) * (workgroupSize / threadsPerHead) + thread / threadsPerHead;
  let lane = thread % threadsPerHead;
  let head = index % params.heads;
  let query = index / params.heads % params.queries;
  let sequence = index / params.heads / params.queries;
  let end = select(0u, params.headVectors, sequence < params.sequences); // no work, but every barrier, past the last sequence
  var row = query;
  if (hasQueryRows) { row = queryRows[query]; }
  row += sequence * params.queryRowsPerSequence;
  let q0 = row * params.queryStride + params.queryColumn + head * params.headVectors;
  let k0 = params.keyColumn + head * params.headVectors;
  let v0 = params.valueColumn + head * params.headVectors;
  let scoresOfHead = (thread - lane) * keys;
  var rows = array<u32, 16>();
  for (var j = 0u; j < keys; j++) {
    rows[j] = u32(max(keyRows[query * keys + j], 0)) + sequence * params.keyRowsPerSequence;
    var score = 0.0;
    for (var column = lane; column < end; column += threadsPerHead) {
      score += dot(vec4f(q[q0 + column]), vec4f(k[rows[j] * params.keyStride + k0 + column]));
    }
    scores[scoresOfHead + j * threadsPerHead + lane] = score;
  }
  workgroupBarrier();
  for (var j = lane; j < keys; j += threadsPerHead) {
    let first = scoresOfHead + j * threadsPerHead;
    var score = 0.0;
    for (var i = 0u; i < threadsPerHead; i++) { score += scores[first + (i + lane) % threadsPerHead]; } // without bank conflicts
    scores[first] = select(lowest, score * params.scale, keyRows[query * keys + j] >= 0);
  }
  workgroupBarrier();
  var weights = array<f32, 16>();
  var largest = lowest;
  for (var j = 0u; j < keys; j++) {
    weights[j] = scores[scoresOfHead + j * threadsPerHead];
    largest = max(largest, weights[j]);
  }
  var total = 0.0;
  for (var j = 0u; j < keys; j++) {
    weights[j] = select(0.0, exp(weights[j] - largest), weights[j] > lowest);
    total += weights[j];
  }
  let factor = select(0.0, 1.0 / total, total > 0.0);
  for (var column = lane; column < end; column += threadsPerHead) {
    var sum = vec4f(0.0);
    for (var j = 0u; j < keys; j++) { sum += weights[j] * vec4f(v[rows[j] * params.valueStride + v0 + column]); }
    y[row * params.outputStride + head * params.headVectors + column] = vec4<Output>(factor * sum);
  }
}

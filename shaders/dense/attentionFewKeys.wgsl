// y[q, head, :] = sum_j softmax_j(scale * Q[q, head, :] . K[keyRows[q, j], head, :]) V[keyRows[q, j], head, :], at most 16 keys a query.
//
// One thread per query and head, heads next to each other. The table counts within one sequence, all of which share it; a negative
// entry is no key, and a query without keys gives 0.
alias Query = f32;
alias Key = f32;
alias Value = f32;
alias Output = f32;
override keys: u32 = 4;               // at most 16
override hasQueryRows: bool = false;
override workgroupSize: u32 = 64;
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

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (group.x + group.y * groups.x) * workgroupSize + thread;
  let head = index % params.heads;
  let query = index / params.heads % params.queries;
  let sequence = index / params.heads / params.queries;
  if (sequence >= params.sequences) { return; }
  var row = query;
  if (hasQueryRows) { row = queryRows[query]; }
  row += sequence * params.queryRowsPerSequence;
  let q0 = row * params.queryStride + params.queryColumn + head * params.headVectors;
  let k0 = params.keyColumn + head * params.headVectors;
  let v0 = params.valueColumn + head * params.headVectors;
  var weights = array<f32, 16>();
  var rows = array<u32, 16>();
  var largest = lowest;
  for (var j = 0u; j < keys; j++) {
    let key = keyRows[query * keys + j];
    rows[j] = u32(max(key, 0)) + sequence * params.keyRowsPerSequence;
    var score = 0.0;
    for (var column = 0u; column < params.headVectors; column++) { score += dot(vec4f(q[q0 + column]), vec4f(k[rows[j] * params.keyStride + k0 + column])); }
    weights[j] = select(lowest, score * params.scale, key >= 0);
    largest = max(largest, weights[j]);
  }
  var total = 0.0;
  for (var j = 0u; j < keys; j++) {
    weights[j] = select(0.0, exp(weights[j] - largest), weights[j] > lowest);
    total += weights[j];
  }
  let factor = select(0.0, 1.0 / total, total > 0.0);
  for (var column = 0u; column < params.headVectors; column++) {
    var sum = vec4f(0.0);
    for (var j = 0u; j < keys; j++) { sum += weights[j] * vec4f(v[rows[j] * params.valueStride + v0 + column]); }
    y[row * params.outputStride + head * params.headVectors + column] = vec4<Output>(factor * sum);
  }
}

// y[r, c] = exp(s (x[r, c] - max_c x[r, c])) / sum_c exp(s (x[r, c] - max_c x[r, c])), s > 0
// One workgroup per row; the row is read three times, statistics in f32.
alias Input = f32;  // or vec4 of f32 or f16
alias Values = f32; // as many f32
alias Output = f32; // or as many f16
override workgroupSize: u32 = 64; // a power of two
override lanes: u32 = 1;
struct Params {
  rows: u32, columns: u32, // columns in vectors
  scale: f32,              // s log2(e): powers are taken of 2
}
@group(0) @binding(0) var<storage, read> x: array<Input>;        // [rows, columns]
@group(0) @binding(1) var<storage, read_write> y: array<Output>; // [rows, columns]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partial: array<Values, workgroupSize>;

fn largestOf(v: Values) -> f32 {
  let four = vec4f(v);
  return max(max(four.x, four.y), max(four.z, four.w));
}

// vec4f(v) repeats a single value.
fn totalOf(v: Values) -> f32 { return dot(vec4f(v), select(vec4f(1.0, 0.0, 0.0, 0.0), vec4f(1.0), lanes == 4u)); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  var largest = Values(-3.0e38);
  for (var c = thread; c < params.columns; c += workgroupSize) { largest = max(largest, Values(x[first + c])); }
  partial[thread] = largest;
  for (var half = workgroupSize / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] = max(partial[thread], partial[thread + half]); }
  }
  workgroupBarrier();
  largest = Values(largestOf(partial[0]));
  workgroupBarrier();
  var total = Values();
  for (var c = thread; c < params.columns; c += workgroupSize) { total += exp2((Values(x[first + c]) - largest) * params.scale); }
  partial[thread] = total;
  for (var half = workgroupSize / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  let factor = 1.0 / totalOf(partial[0]);
  for (var c = thread; c < params.columns; c += workgroupSize) {
    y[first + c] = Output(exp2((Values(x[first + c]) - largest) * params.scale) * factor);
  }
}

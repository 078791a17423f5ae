// y[r, c] = exp(x[r, c] - max_c x[r, c]) / sum_c exp(x[r, c] - max_c x[r, c])
// One workgroup per row; the row is read three times, statistics in f32.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64; // a power of two
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<Input>;        // [rows, columns]
@group(0) @binding(1) var<storage, read_write> y: array<Output>; // [rows, columns]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partial: array<f32, workgroupSize>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  var largest = -3.0e38;
  for (var c = thread; c < params.columns; c += workgroupSize) { largest = max(largest, f32(x[first + c])); }
  partial[thread] = largest;
  for (var half = workgroupSize / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] = max(partial[thread], partial[thread + half]); }
  }
  workgroupBarrier();
  largest = partial[0];
  workgroupBarrier();
  var total = 0.0;
  for (var c = thread; c < params.columns; c += workgroupSize) { total += exp(f32(x[first + c]) - largest); }
  partial[thread] = total;
  for (var half = workgroupSize / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  let factor = 1.0 / partial[0];
  for (var c = thread; c < params.columns; c += workgroupSize) { y[first + c] = Output(exp(f32(x[first + c]) - largest) * factor); }
}

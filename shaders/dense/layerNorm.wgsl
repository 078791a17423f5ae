// n[r, c] = (x[r, c] - mean[r]) / sqrt(variance[r] + eps) [* weight[c] + bias[c]]
// y[r, c] = activation(n[r, c] [* (1 + scale[r / groupRows, c]) + shift[r / groupRows, c]])
// threadsPerRow threads share a row, so that a workgroup holds several short rows. Statistics in f32 whatever Input is; two passes,
// so no E[x^2] - E[x]^2 cancellation.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
override threadsPerRow: u32 = 64; // a power of two, at most workgroupSize
// include "dense/layerNormParams"
@group(0) @binding(0) var<storage, read> x: array<Input>;            // [rows, columns]
@group(0) @binding(1) var<storage, read> weight: array<f32>;         // [columns]
@group(0) @binding(2) var<storage, read> bias: array<f32>;           // [columns]
@group(0) @binding(3) var<storage, read> scale: array<f32>;          // [groups, scaleStride]
@group(0) @binding(4) var<storage, read> shift: array<f32>;          // [groups, shiftStride]
@group(0) @binding(5) var<storage, read_write> y: array<Output>;     // [rows, outputStride]
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> sums: array<f32, workgroupSize>;

fn sumOfRow(value: f32, thread: u32) -> f32 {
  let lane = thread % threadsPerRow;
  sums[thread] = value;
  workgroupBarrier();
  for (var half = threadsPerRow / 2u; half > 0u; half /= 2u) {
    if (lane < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  let sum = sums[thread - lane];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = (group.x + group.y * groups.x) * (workgroupSize / threadsPerRow) + thread / threadsPerRow;
  let lane = thread % threadsPerRow;
  var sourceRow = row;
  if (segmented) { sourceRow = params.segment.x + row / params.segment.y * params.segment.z + row % params.segment.y; }
  let base = sourceRow * params.columns;
  let columns = select(0u, params.columns, row < params.rows); // no work, but every barrier, past the last row
  var sum = 0.0;
  for (var c = lane; c < columns; c += threadsPerRow) { sum += f32(x[base + c]); }
  let mean = sumOfRow(sum, thread) / f32(params.columns);
  var squares = 0.0;
  for (var c = lane; c < columns; c += threadsPerRow) {
    let d = f32(x[base + c]) - mean;
    squares += d * d;
  }
  let factor = 1.0 / sqrt(sumOfRow(squares, thread) / f32(params.columns) + params.eps);
  let output = row * params.outputStride + params.outputColumn;
  let scaleBase = (params.firstRow + row) / params.scaleRows * params.scaleStride + params.scaleColumn;
  let shiftBase = (params.firstRow + row) / params.shiftRows * params.shiftStride + params.shiftColumn;
  for (var c = lane; c < columns; c += threadsPerRow) {
    var v = (f32(x[base + c]) - mean) * factor;
    if (affine) { v = v * weight[c] + bias[c]; }
    if (modulated) { v = v * (1.0 + scale[scaleBase + c]) + shift[shiftBase + c]; }
    if (silu) { v = v / (1.0 + exp(min(-v, 87.0))); }
    y[output + c] = Output(v);
  }
}

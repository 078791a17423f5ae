// x[r, column + h * headSize + d] <- v / max(|v|, 1e-12) * gamma[h, d] * sqrt(headSize), v = x[r, column + h * headSize ..]: the head's
// vector scaled to length sqrt(headSize), in place. threadsPerHead threads share a head, a workgroup holds several. Maths in f32.
alias Element = f32; // or vec4 of f32 or f16
alias Values = f32;  // as many f32
override workgroupSize: u32 = 64;
override threadsPerHead: u32 = 8; // a power of two, at most workgroupSize
struct Params {
  rows: u32, heads: u32, vectors: u32, // of a head
  stride: u32, column: u32,            // in vectors
  length: f32,                         // sqrt(headSize)
}
@group(0) @binding(0) var<storage, read_write> x: array<Element>;    // [rows, stride]
@group(0) @binding(1) var<storage, read> gamma: array<Values>;       // [heads, headSize]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, workgroupSize>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (group.x + group.y * groups.x) * (workgroupSize / threadsPerHead) + thread / threadsPerHead;
  let lane = thread % threadsPerHead;
  let row = index / params.heads;
  let head = index % params.heads;
  let size = select(0u, params.vectors, row < params.rows); // no work, but every barrier, past the last row
  let base = row * params.stride + params.column + head * params.vectors;
  var squares = 0.0;
  for (var d = lane; d < size; d += threadsPerHead) {
    let v = length(Values(x[base + d])); // of a number or a vector
    squares += v * v;
  }
  sums[thread] = squares;
  workgroupBarrier();
  for (var half = threadsPerHead / 2u; half > 0u; half /= 2u) {
    if (lane < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  let factor = params.length / max(sqrt(sums[thread - lane]), 1e-12);
  for (var d = lane; d < size; d += threadsPerHead) {
    x[base + d] = Element(Values(x[base + d]) * factor * gamma[head * params.vectors + d]);
  }
}

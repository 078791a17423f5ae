// y[o, i, c] = sum_t weights[i, t] * x[o, indices[i, t], c]: one axis of a tensor resized. The table decides the method (nearest,
// bilinear, bicubic, average over windows); the host calls once for every axis. One element a thread, sums in f32.
alias Input = f32;  // or vec4 of f32 or f16; elements and inner in vectors
alias Values = f32; // as many f32
alias Output = f32; // or as many f16
override workgroupSize: u32 = 64;
struct Params {
  elements: u32,      // of y
  extentIn: u32, extentOut: u32,
  inner: u32,         // elements from one position along the axis to the next
  taps: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;              // [outer, extentIn, inner]
@group(0) @binding(1) var<storage, read> indices: array<u32>;          // [extentOut, taps]
@group(0) @binding(2) var<storage, read> weights: array<f32>;          // [extentOut, taps]
@group(0) @binding(3) var<storage, read_write> y: array<Output>;       // [outer, extentOut, inner]
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (at >= params.elements) { return; }
  let c = at % params.inner;
  let row = at / params.inner;
  let outer = row / params.extentOut;
  let first = (row - outer * params.extentOut) * params.taps;
  var sum = Values();
  for (var t = 0u; t < params.taps; t++) {
    sum += weights[first + t] * Values(x[(outer * params.extentIn + indices[first + t]) * params.inner + c]);
  }
  y[at] = Output(sum);
}

// y[i] = x[firstInput + sum_a index_a(i) * stride_a]: the axes of a row-major tensor in another order. index_a are the coordinates of
// output element i in `extent`; the host has merged axes that stay neighbours. One element a thread.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
override rank: u32 = 8; // axes used, the last ones of the eight
struct Params {
  elements: u32,
  firstInput: u32,                    // of this window
  extent0: vec4u, extent1: vec4u,     // of the output, outermost first
  stride0: vec4u, stride1: vec4u,     // of x, along the output's axes
}
@group(0) @binding(0) var<storage, read> x: array<Input>;              // [input shape]
@group(0) @binding(1) var<storage, read_write> y: array<Output>;       // [output shape]
@group(0) @binding(2) var<uniform> params: Params;

// include "dense/sourceIndex"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (i >= params.elements) { return; }
  y[i] = Output(x[params.firstInput + sourceIndex(i, rank)]);
}

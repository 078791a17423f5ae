// y[r, outputColumn + c] = x[r, inputColumn + c]: columns of one matrix into columns of another (concatenation, slices, casts).
// All counts in vectors where Input and Output are vectors. A thread takes every workgroupSize-th of its workgroup's 4 * workgroupSize elements.
alias Input = f32;  // or vec4 of f32 or f16
alias Output = f32; // or as many of either type
override workgroupSize: u32 = 64;
struct Params {
  elements: u32, columns: u32,
  inputStride: u32, inputColumn: u32,
  outputStride: u32, outputColumn: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;              // [rows, inputStride]
@group(0) @binding(1) var<storage, read_write> y: array<Output>;       // [rows, outputStride]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.x + group.y * groups.x) * workgroupSize * 4u + thread;
  for (var j = 0u; j < 4u; j++) {
    let i = first + j * workgroupSize;
    if (i >= params.elements) { return; }
    let row = i / params.columns;
    let column = i - row * params.columns;
    y[row * params.outputStride + params.outputColumn + column] = Output(x[row * params.inputStride + params.inputColumn + column]);
  }
}

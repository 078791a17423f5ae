// y[image, 0] = classToken + classPosition; y[image, 1 + r] = registers[r]; y[image, 1 + registerCount + p] = patches[image, p] + positions[p]
// One invocation an element.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
struct Params {
  images: u32, patchCount: u32, registerCount: u32, columns: u32,
  firstPosition: u32, // row of `positions` that belongs to the first patch
}
@group(0) @binding(0) var<storage, read> patches: array<Input>;        // [images, patchCount, columns]
@group(0) @binding(1) var<storage, read> classToken: array<f32>;       // [columns]
@group(0) @binding(2) var<storage, read> registers: array<f32>;        // [registerCount, columns]
@group(0) @binding(3) var<storage, read> classPosition: array<f32>;    // [>= 1, columns]
@group(0) @binding(4) var<storage, read> positions: array<f32>;        // [>= firstPosition + patchCount, columns]
@group(0) @binding(5) var<storage, read_write> y: array<Output>;       // [images, 1 + registerCount + patchCount, columns]
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  let tokens = 1u + params.registerCount + params.patchCount;
  let column = index % params.columns;
  let token = index / params.columns % tokens;
  let image = index / params.columns / tokens;
  if (image >= params.images) { return; }
  var value = 0.0;
  if (token == 0u) {
    value = classToken[column] + classPosition[column];
  } else if (token <= params.registerCount) {
    value = registers[(token - 1u) * params.columns + column];
  } else {
    let patchIndex = token - 1u - params.registerCount;
    value = f32(patches[(image * params.patchCount + patchIndex) * params.columns + column])
      + positions[(params.firstPosition + patchIndex) * params.columns + column];
  }
  y[index] = Output(value);
}

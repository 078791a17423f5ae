// y[r, c] = x[r, columns[c]]: some columns of a matrix side by side, in vectors where Element is a vector. One invocation an element.
alias Element = f32; // or vec4 of f32 or f16
override workgroupSize: u32 = 256;
struct Params { elements: u32, columns: u32, inputStride: u32 }        // elements and columns of y
@group(0) @binding(0) var<storage, read> x: array<Element>;            // [rows, inputStride]
@group(0) @binding(1) var<storage, read> table: array<u32>;            // [columns]
@group(0) @binding(2) var<storage, read_write> y: array<Element>;      // [rows, columns]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.elements) { return; }
  let row = index / params.columns;
  y[index] = x[row * params.inputStride + table[index - row * params.columns]];
}

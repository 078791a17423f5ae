// y[r, c] = x[r, c] + row[c] for some consecutive rows; one invocation an element. All counts in vectors where the
// elements are vectors.
alias Element = f32; // or vec4 of f32 or f16
alias Values = f32;  // as many f32
override workgroupSize: u32 = 64;
struct Params {
  count: u32,    // rows * columns
  columns: u32,
  first: u32,    // first element of x and y
}
@group(0) @binding(0) var<storage, read> x: array<Element>;        // [rows, columns]
@group(0) @binding(1) var<storage, read> row: array<Values>;       // [columns]
@group(0) @binding(2) var<storage, read_write> y: array<Element>;  // [rows, columns]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  let at = params.first + index;
  y[at] = Element(Values(x[at]) + row[index % params.columns]);
}

// y[m, c] = x[m, c] + E[m mod rows, c]; E is of each coordinate x, y, z in turn a row of the table: `perAxis` sines and cosines, then zeros.
// One invocation an element.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
struct Params {
  count: u32,      // elements of y
  columns: u32,
  perAxis: u32,    // columns of the table
  rows: u32,       // voxels; x holds as many rows once or several times
  firstRow: u32,   // of this window
}
@group(0) @binding(0) var<storage, read> x: array<Input>;            // [rows, columns]
@group(0) @binding(1) var<storage, read> coords: array<vec4i>;       // [rows] batch, x, y, z
@group(0) @binding(2) var<storage, read> table: array<f32>;          // [positions, perAxis]
@group(0) @binding(3) var<storage, read_write> y: array<Output>;     // [rows, columns]
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  let row = index / params.columns;
  let column = index - row * params.columns;
  let axis = column / params.perAxis;
  var v = f32(x[index]);
  if (axis < 3u) {
    let position = u32(coords[(params.firstRow + row) % params.rows][axis + 1u]);
    v += table[position * params.perAxis + column - axis * params.perAxis];
  }
  y[index] = Output(v);
}

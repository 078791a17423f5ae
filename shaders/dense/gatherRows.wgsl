// y[m, outputColumn + c] = x[indices[m] - firstRow, c] where x has that row, else 0 (or, with `keep`, what was there before: so x can be
// shown window by window). All counts but rows in vectors where Input and Output are vectors. A thread takes every workgroupSize-th of
// its workgroup's 4 * workgroupSize elements.
alias Input = f32;  // or vec4 of f32 or f16
alias Output = f32; // or as many of either type
override workgroupSize: u32 = 64;
override keep: bool = false;
struct Params {
  elements: u32, columns: u32,
  firstRow: u32, rowsIn: u32,        // of the rows that x shows
  outputStride: u32, outputColumn: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;              // [rowsIn, columns]
@group(0) @binding(1) var<storage, read> indices: array<i32>;          // [rows]
@group(0) @binding(2) var<storage, read_write> y: array<Output>;       // [rows, outputStride]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.x + group.y * groups.x) * workgroupSize * 4u + thread;
  for (var j = 0u; j < 4u; j++) {
    let i = first + j * workgroupSize;
    if (i >= params.elements) { return; }
    let row = i / params.columns;
    let column = i - row * params.columns;
    let source = indices[row] - i32(params.firstRow);
    let shown = source >= 0 && u32(source) < params.rowsIn;
    if (keep && !shown) { continue; }
    var v = Output();
    if (shown) { v = Output(x[u32(source) * params.columns + column]); }
    y[row * params.outputStride + params.outputColumn + column] = v;
  }
}

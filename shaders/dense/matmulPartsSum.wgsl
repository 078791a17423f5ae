// The end of a product whose sums matmulParts.wgsl or matmulFewTiles.wgsl has stored in parts: y = [y +] residual + gate * activation(sum + bias + rowBias) as
// matmul.wgsl has it, the parts added in order. A thread: four columns of a row, in the order of the parts.
alias Output = f32;
alias Residual = f32;
override workgroupSize: u32 = 64;
override fragmentColumns: u32 = 4; // of matmulParts.wgsl
override byRows: bool = false; // sums of matmulFewTiles.wgsl
const gated = false;
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> sums: array<vec4f>;             // as matmulParts.wgsl says; by rows [parts, rows, columns]
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;             // [columns]
@group(0) @binding(2) var<storage, read> rowBias: array<vec4f>;          // [groups, rowBiasStride]
@group(0) @binding(3) var<storage, read> gate: array<vec4f>;             // [groups, gateStride]
@group(0) @binding(4) var<storage, read> residual: array<vec4<Residual>>; // [rows, columns]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<Output>>;   // [rows, outputStride]
@group(0) @binding(6) var<uniform> params: Params;

// include "dense/matmulEpilogue"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (group.x + group.y * groups.x) * workgroupSize + thread;
  let vectors = select(params.partRows * params.columnTiles * fragmentColumns * 8u, params.rows * (params.columns / 4u), byRows); // of a part
  let tile = at / (1024u * fragmentColumns);
  let subgroup = at / (256u * fragmentColumns) % 4u;
  let matrix = at / 64u % (4u * fragmentColumns);
  var m = tile / params.columnTiles * 128u + subgroup / 2u * 64u + matrix / fragmentColumns * 16u + at / 4u % 16u;
  var n = (tile % params.columnTiles * 2u + subgroup % 2u) * 16u * fragmentColumns + matrix % fragmentColumns * 16u + at % 4u * 4u;
  if (byRows) {
    m = at / (params.columns / 4u);
    n = at % (params.columns / 4u) * 4u;
  }
  if (at >= vectors || m >= params.rows || n >= params.columns) { return; }
  var sum = vec4f();
  for (var part = 0u; part < params.parts; part++) { sum += sums[part * vectors + at]; }
  var v = gated4(activate(biased(sum, biasAt(n), m, n)), m, n);
  if (hasResidual) { v += vec4f(residualAt(m, n)); }
  if (accumulate) { v += vec4f(y[indexOfY(m, n)]); }
  y[indexOfY(m, n)] = vec4<Output>(v);
}

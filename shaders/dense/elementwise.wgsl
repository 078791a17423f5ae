// y[r, c] = activation(scale * x[r, c] * factor[r, c] + addendScale * addend[r, c]), either operand optional.
// An operand is a tensor of x's shape or an f32 matrix whose row g applies to consecutive rows of x. A thread takes every
// workgroupSize-th of its workgroup's 4 * workgroupSize elements.
alias Input = f32;  // or vec4 of f32 or f16; all counts but rows in vectors
alias Factor = f32; // or as many of either type
alias Addend = f32;
alias Output = f32;
alias Values = f32; // as many f32
override workgroupSize: u32 = 64;
override activation: u32 = 0; // 0 none, 1 SiLU, 2 GELU (erf), 3 GELU (tanh), 4 ReLU
override factorMode: u32 = 0; // 0 absent, 1 of x's shape, 2 shared by rows
override addendMode: u32 = 0;
override inPlace: bool = false; // x is y
struct Params {
  elements: u32, columns: u32,
  scale: f32, addendScale: f32,
  firstRow: u32,                              // of this window, for shared operands
  factorRows: u32, factorStride: u32, factorColumn: u32,
  addendRows: u32, addendStride: u32, addendColumn: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;              // [rows, columns]
@group(0) @binding(1) var<storage, read> factor: array<Factor>;        // [rows, columns] or [groups, factorStride]
@group(0) @binding(2) var<storage, read> addend: array<Addend>;        // [rows, columns] or [groups, addendStride]
@group(0) @binding(3) var<storage, read_write> y: array<Output>;       // [rows, columns]
@group(0) @binding(4) var<uniform> params: Params;

// include "dense/activation"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.x + group.y * groups.x) * workgroupSize * 4u + thread;
  for (var j = 0u; j < 4u; j++) {
    let i = first + j * workgroupSize;
    if (i >= params.elements) { return; }
    var v = Values();
    if (inPlace) { v = Values(y[i]); } else { v = Values(x[i]); }
    v *= params.scale;
    let row = params.firstRow + i / params.columns;
    let column = i % params.columns;
    if (factorMode == 1u) { v *= Values(factor[i]); }
    if (factorMode == 2u) { v *= Values(factor[row / params.factorRows * params.factorStride + params.factorColumn + column]); }
    if (addendMode == 1u) { v += params.addendScale * Values(addend[i]); }
    if (addendMode == 2u) { v += params.addendScale * Values(addend[row / params.addendRows * params.addendStride + params.addendColumn + column]); }
    y[i] = Output(activate(v));
  }
}

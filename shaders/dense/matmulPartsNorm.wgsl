// matmulPartsSum.wgsl, and the layer norm of the rows beside them: normed = (y - mean) / sqrt(variance + eps) [* normWeight + normBias], of
// y as it is stored. A workgroup: one row, every value read once and kept in registers. Statistics in f32, two passes, as
// layerNormVectors.wgsl has them. Needs: columns = outputStride, at most 16 vectors a thread.
alias Output = f32;
alias Residual = f32;
alias Normed = f32;
override workgroupSize: u32 = 64;
override vectorsPerThread: u32 = 1;
override fragmentColumns: u32 = 4; // of matmulParts.wgsl
override byRows: bool = false;     // sums of matmulFewTiles.wgsl
override affine: bool = false;
override parts: u32 = 2;           // of the sums; params.parts that the compiler knows
const gated = false;
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> sums: array<vec4f>;             // as matmulPartsSum.wgsl has them
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;             // [columns]
@group(0) @binding(2) var<storage, read> rowBias: array<vec4f>;          // [groups, rowBiasStride]
@group(0) @binding(3) var<storage, read> gate: array<vec4f>;             // [groups, gateStride]
@group(0) @binding(4) var<storage, read> residual: array<vec4<Residual>>; // [rows, columns]
@group(0) @binding(5) var<storage, read> normWeight: array<vec4f>;       // [columns]
@group(0) @binding(6) var<storage, read> normBias: array<vec4f>;         // [columns]
@group(0) @binding(7) var<storage, read_write> y: array<vec4<Output>>;   // [rows, outputStride]
@group(0) @binding(8) var<storage, read_write> normed: array<vec4<Normed>>; // [rows, columns]
@group(0) @binding(9) var<uniform> params: Params;

// include "dense/matmulEpilogue"

// First vector of four sums in a part's.
fn sumVector(m: u32, n: u32) -> u32 {
  if (byRows) { return (m * params.columns + n) / 4u; }
  let width = 16u * fragmentColumns; // of a subgroup
  let subgroup = (m / 128u * params.columnTiles + n / (2u * width)) * 4u + m / 64u % 2u * 2u + n / width % 2u;
  let matrix = (subgroup * 4u + m / 16u % 4u) * fragmentColumns + n % width / 16u;
  return matrix * 64u + m % 16u * 4u + n % 16u / 4u;
}

var<workgroup> totals: array<vec4f, workgroupSize / 4u>;

fn total(value: f32, thread: u32) -> f32 {
  workgroupBarrier(); // the former total is read
  totals[thread / 4u][thread % 4u] = value;
  workgroupBarrier();
  var sum = vec4f();
  for (var i = 0u; i < workgroupSize / 4u; i++) { sum += totals[i]; }
  return dot(sum, vec4f(1.0));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = group.x + group.y * groups.x;
  if (m >= params.rows) { return; }
  let columns = params.columns / 4u;
  let vectors = select(params.partRows * params.columnTiles * fragmentColumns * 8u, params.rows * columns, byRows); // of a part
  var values = array<vec4f, 16>();
  var sum = vec4f();
  for (var i = 0u; i < vectorsPerThread; i++) {
    let c = min(thread + i * workgroupSize, columns - 1u); // no branch, so that the loads of all vectors are on their way at once
    let at = sumVector(m, 4u * c);
    var v = vec4f();
    for (var part = 0u; part < parts; part++) { v += sums[part * vectors + at]; }
    v = gated4(activate(biased(v, biasAt(4u * c), m, 4u * c)), m, 4u * c);
    if (hasResidual) { v += vec4f(residualAt(m, 4u * c)); }
    values[i] = select(vec4f(), vec4f(vec4<Output>(v)), thread + i * workgroupSize < columns);
    sum += values[i];
  }
  // Behind all loads: a store between them would hold them up.
  for (var i = 0u; i < vectorsPerThread; i++) {
    let c = thread + i * workgroupSize;
    if (c < columns) { y[indexOfY(m, 4u * c)] = vec4<Output>(values[i]); }
  }
  let mean = total(dot(sum, vec4f(1.0)), thread) / f32(params.columns);
  var square = vec4f();
  for (var i = 0u; i < vectorsPerThread; i++) {
    if (thread + i * workgroupSize < columns) {
      values[i] -= mean;
      square += values[i] * values[i];
    }
  }
  let factor = 1.0 / sqrt(total(dot(square, vec4f(1.0)), thread) / f32(params.columns) + params.normEps);
  for (var i = 0u; i < vectorsPerThread; i++) {
    let c = thread + i * workgroupSize;
    if (c < columns) {
      var v = values[i] * factor;
      if (affine) { v = v * normWeight[c] + normBias[c]; }
      normed[m * columns + c] = vec4<Normed>(v);
    }
  }
}

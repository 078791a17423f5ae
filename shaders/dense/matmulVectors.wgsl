// The same function, bindings and Params as matmul.wgsl, for GPUs without subgroup matrices: everything moves in vectors of four.
//
// One workgroup of 256: a tile of 128 rows x 128 columns, each thread 8 x 8 of it in registers (two groups of four in both directions).
// Slices 16 deep go through workgroup memory transposed, as f32; the next slice is fetched into registers meanwhile.
// On an H200: 35 TFLOP/s for 8192 x 4096 x 1024 and 6144^3 (matmul.wgsl: 2).
// Needs: channels, columns, and strides and first columns of all that is read and written, multiples of 4 (columns of 8 where `gated`).
alias Input = f32;
alias Weight = f32;
alias Output = f32;
alias Residual = f32;
override gated: bool = false;
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<Input>>;          // [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<vec4<Weight>>;    // [weights, columns, taps * channels]
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;             // [columns]
@group(0) @binding(3) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(4) var<storage, read> rowBias: array<vec4f>;          // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<vec4f>;             // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<vec4<Residual>>; // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<vec4<Output>>;   // [rows, outputStride]
@group(0) @binding(8) var<uniform> params: Params;

const pitch = 33u; // vectors between the 128 rows (or columns) of one k and those of the next
var<workgroup> tileX: array<vec4f, 528>;
var<workgroup> tileW: array<vec4f, 528>;

// include "dense/matmulEpilogue"

// Rows past the end are computed and not stored.
fn loadX(row: u32, k: u32) -> vec4f {
  if (k >= params.taps * params.channels) { return vec4f(); }
  let m = min(row, params.rows - 1u);
  if (blockedX) { return vec4f(x[placeInBlocks(blockedX, m, k / 4u, params.inputStride / 4u, 8u)]); }
  if (!gathered) { return vec4f(x[(segmentedRow(m, segmentedX, params.xSegment) * params.inputStride + params.inputColumn + k) / 4u]); }
  let tap = k / params.channels;
  let image = m / params.imageRowsOut;
  let neighbour = neighbours[(m - image * params.imageRowsOut) * params.taps + tap];
  if (neighbour < 0) { return vec4f(); }
  return vec4f(x[((image * params.imageRowsIn + u32(neighbour)) * params.inputStride + params.inputColumn + k - tap * params.channels) / 4u]);
}

fn loadW(firstWeight: u32, column: u32, k: u32) -> vec4f {
  let inner = params.taps * params.channels;
  if (k >= inner) { return vec4f(); }
  return vec4f(weight[placeInBlocks(blockedWeight, firstWeight + min(column, params.columns - 1u), k / 4u, inner / 4u, 8u)]);
}

fn putX(v: vec4f, k: u32, row: u32) {
  tileX[k * pitch + row / 4u][row % 4u] = v.x;
  tileX[(k + 1u) * pitch + row / 4u][row % 4u] = v.y;
  tileX[(k + 2u) * pitch + row / 4u][row % 4u] = v.z;
  tileX[(k + 3u) * pitch + row / 4u][row % 4u] = v.w;
}

fn putW(v: vec4f, k: u32, column: u32) {
  tileW[k * pitch + column / 4u][column % 4u] = v.x;
  tileW[(k + 1u) * pitch + column / 4u][column % 4u] = v.y;
  tileW[(k + 2u) * pitch + column / 4u][column % 4u] = v.z;
  tileW[(k + 3u) * pitch + column / 4u][column % 4u] = v.w;
}

fn store(value: vec4f, m: u32, n: u32) {
  let at = indexOfY(m, n);
  var v = gated4(value, m, n);
  if (hasResidual) { v += vec4f(residualAt(m, n)); }
  if (accumulate) { v += vec4f(y[at]); }
  y[at] = vec4<Output>(v);
}

// Eight sums of a row, from column n.
fn finish(a: vec4f, b: vec4f, m: u32, n: u32) {
  if (m >= params.rows || n >= params.columns) { return; }
  let first = biased(a, biasAt(n), m, n);
  let second = biased(b, biasAt(n + 4u), m, n + 4u);
  if (gated) {
    store(vec4f(first.xz, second.xz) * activate(vec4f(first.yw, second.yw)), m, n / 2u);
  } else {
    store(activate(first), m, n);
    if (n + 4u < params.columns) { store(activate(second), m, n + 4u); }
  }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tile = group.x + group.y * groups.x;
  let row0 = tile / params.columnTiles * 128u;
  let column0 = tile % params.columnTiles * 128u;
  if (row0 >= params.rows) { return; }
  let inner = params.taps * params.channels;
  let firstWeight = (params.firstRow + row0) / params.weightRows * params.columns;
  let loadRow = thread / 4u;
  let loadK = thread % 4u * 4u;
  let atX = thread / 16u;      // rows 4 atX .. and 64 + 4 atX ..
  let atW = thread % 16u * 2u; // columns 4 atW ..
  var a0: vec4f; var a1: vec4f; var a2: vec4f; var a3: vec4f; var a4: vec4f; var a5: vec4f; var a6: vec4f; var a7: vec4f;
  var b0: vec4f; var b1: vec4f; var b2: vec4f; var b3: vec4f; var b4: vec4f; var b5: vec4f; var b6: vec4f; var b7: vec4f;
  putX(loadX(row0 + loadRow, loadK), loadK, loadRow);
  putX(loadX(row0 + loadRow + 64u, loadK), loadK, loadRow + 64u);
  putW(loadW(firstWeight, column0 + loadRow, loadK), loadK, loadRow);
  putW(loadW(firstWeight, column0 + loadRow + 64u, loadK), loadK, loadRow + 64u);
  workgroupBarrier();
  for (var k0 = 0u; k0 < inner; k0 += 16u) {
    // The next slice's loads are stored in the same turn: a value carried into the next turn is copied, and the copy waits for it.
    let nextK = k0 + 16u + loadK;
    let nextX0 = loadX(row0 + loadRow, nextK);
    let nextX1 = loadX(row0 + loadRow + 64u, nextK);
    let nextW0 = loadW(firstWeight, column0 + loadRow, nextK);
    let nextW1 = loadW(firstWeight, column0 + loadRow + 64u, nextK);
    for (var k = 0u; k < 16u; k++) {
      let x0 = tileX[k * pitch + atX];
      let x1 = tileX[k * pitch + atX + 16u];
      let w0 = tileW[k * pitch + atW];
      let w1 = tileW[k * pitch + atW + 1u];
      a0 += x0.x * w0; b0 += x0.x * w1;
      a1 += x0.y * w0; b1 += x0.y * w1;
      a2 += x0.z * w0; b2 += x0.z * w1;
      a3 += x0.w * w0; b3 += x0.w * w1;
      a4 += x1.x * w0; b4 += x1.x * w1;
      a5 += x1.y * w0; b5 += x1.y * w1;
      a6 += x1.z * w0; b6 += x1.z * w1;
      a7 += x1.w * w0; b7 += x1.w * w1;
    }
    workgroupBarrier();
    putX(nextX0, loadK, loadRow);
    putX(nextX1, loadK, loadRow + 64u);
    putW(nextW0, loadK, loadRow);
    putW(nextW1, loadK, loadRow + 64u);
    workgroupBarrier();
  }
  let m = row0 + atX * 4u;
  let n = column0 + atW * 4u;
  var firsts = array<vec4f, 8>(a0, a1, a2, a3, a4, a5, a6, a7);
  var seconds = array<vec4f, 8>(b0, b1, b2, b3, b4, b5, b6, b7);
  for (var r = 0u; r < 8u; r++) { finish(firsts[r], seconds[r], m + r % 4u + r / 4u * 64u, n); }
}

// The same function, bindings and Params as matmul.wgsl, on subgroup matrices: f16 in, f32 sums.
//
// One workgroup: a tile of 128 rows x 128 columns, four subgroups of 64 x 64 (16 sums of 16 x 16 in registers). Each 32-deep slice
// of both operands goes through workgroup memory, rows padded by 8 halves; the next slice is fetched into registers meanwhile.
// Matrix elements are out of WGSL's reach, so the epilogue goes through a strip of workgroup memory, 16 rows a subgroup at a time.
// Needs: channels, inputStride and inputColumn multiples of 8 (whole 16-byte vectors never straddle two taps).
alias Output = f32;
alias Residual = f32;
override gathered: bool = false;
override gated: bool = false;
override activation: u32 = 0; // 0 none, 1 SiLU, 2 GELU (erf), 3 GELU (tanh)
override hasBias: bool = false;
override hasRowBias: bool = false;
override hasGate: bool = false;
override hasResidual: bool = false;
override accumulate: bool = false;
override segmentedX: bool = false;
override segmentedY: bool = false;
struct Params {
  rows: u32, columns: u32, channels: u32, taps: u32,
  firstRow: u32,
  inputStride: u32, inputColumn: u32,
  outputStride: u32, outputColumn: u32,
  imageRowsIn: u32, imageRowsOut: u32,
  rowBiasRows: u32, rowBiasStride: u32, rowBiasColumn: u32,
  gateRows: u32, gateStride: u32, gateColumn: u32,
  columnTiles: u32,
  xSegment: vec3u, ySegment: vec3u,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;            // f16 [rows in, inputStride], 8 halves a vector
@group(0) @binding(1) var<storage, read> weight: array<vec4<u32>>;       // f16 [columns, taps * channels]
@group(0) @binding(2) var<storage, read> bias: array<f32>;               // [columns]
@group(0) @binding(3) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(4) var<storage, read> rowBias: array<f32>;            // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<f32>;               // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<Residual>;      // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<Output>;         // [rows, outputStride]
@group(0) @binding(8) var<uniform> params: Params;

const pitch = 5u;       // vectors of 8 halves between rows of a slice: 32 halves and 8 of padding
const stripPitch = 68u; // floats between rows of a strip
var<workgroup> sliceX: array<vec4<u32>, 128 * 5>;
var<workgroup> sliceW: array<vec4<u32>, 128 * 5>;
var<workgroup> strip: array<f32, 4 * 16 * 68>;

fn erf(v: f32) -> f32 { // Abramowitz and Stegun 7.1.26, |error| < 1.5e-7
  let t = 1.0 / (1.0 + 0.3275911 * abs(v));
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(v) * (1.0 - p * exp(-v * v));
}

fn activate(v: f32) -> f32 {
  switch activation {
    case 1u: { return v / (1.0 + exp(min(-v, 87.0))); }
    case 2u: { return 0.5 * v * (1.0 + erf(v * 0.70710678118654752)); }
    case 3u: { return 0.5 * v * (1.0 + tanh(clamp(0.79788456080286536 * (v + 0.044715 * v * v * v), -15.0, 15.0))); }
    default: { return v; }
  }
}

fn segmentedRow(m: u32, segmented: bool, segment: vec3u) -> u32 {
  if (!segmented) { return m; }
  return segment.x + m / segment.y * segment.z + m % segment.y;
}

fn loadX(m: u32, k: u32) -> vec4<u32> {
  if (m >= params.rows || k >= params.taps * params.channels) { return vec4<u32>(); }
  if (!gathered) { return x[(segmentedRow(m, segmentedX, params.xSegment) * params.inputStride + params.inputColumn + k) / 8u]; }
  let tap = k / params.channels;
  let image = m / params.imageRowsOut;
  let neighbour = neighbours[(m - image * params.imageRowsOut) * params.taps + tap];
  if (neighbour < 0) { return vec4<u32>(); }
  return x[((image * params.imageRowsIn + u32(neighbour)) * params.inputStride + params.inputColumn + k - tap * params.channels) / 8u];
}

fn loadW(n: u32, k: u32) -> vec4<u32> {
  let inner = params.taps * params.channels;
  if (n >= params.columns || k >= inner) { return vec4<u32>(); }
  return weight[(n * inner + k) / 8u];
}

fn preActivation(sum: f32, m: u32, n: u32) -> f32 {
  var v = sum;
  if (hasBias) { v += bias[n]; }
  if (hasRowBias) { v += rowBias[(params.firstRow + m) / params.rowBiasRows * params.rowBiasStride + params.rowBiasColumn + n]; }
  return v;
}

fn store(value: f32, m: u32, n: u32, width: u32) {
  var v = value;
  if (hasGate) { v *= gate[(params.firstRow + m) / params.gateRows * params.gateStride + params.gateColumn + n]; }
  let row = segmentedRow(m, segmentedY, params.ySegment);
  let at = row * params.outputStride + params.outputColumn + n;
  if (hasResidual) { v += f32(residual[row * width + n]); }
  if (accumulate) { v += f32(y[at]); }
  y[at] = Output(v);
}

// After the first function: the reader of declarations cannot parse these types.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32,
        @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * groups.x;
  let row0 = tile / params.columnTiles * 128u;
  let column0 = tile % params.columnTiles * 128u;
  if (row0 >= params.rows) { return; }
  let subgroup = thread / 32u;
  let subgroupRow = subgroup / 2u * 64u;
  let subgroupColumn = subgroup % 2u * 64u;
  let inner = params.taps * params.channels;
  let loadRow = thread / 4u;  // 32 rows a pass, 4 vectors a row
  let loadVector = thread % 4u;
  var sum00: Sum; var sum01: Sum; var sum02: Sum; var sum03: Sum;
  var sum10: Sum; var sum11: Sum; var sum12: Sum; var sum13: Sum;
  var sum20: Sum; var sum21: Sum; var sum22: Sum; var sum23: Sum;
  var sum30: Sum; var sum31: Sum; var sum32: Sum; var sum33: Sum;
  var nextX0 = loadX(row0 + 0u + loadRow, loadVector * 8u);
  var nextX1 = loadX(row0 + 32u + loadRow, loadVector * 8u);
  var nextX2 = loadX(row0 + 64u + loadRow, loadVector * 8u);
  var nextX3 = loadX(row0 + 96u + loadRow, loadVector * 8u);
  var nextW0 = loadW(column0 + 0u + loadRow, loadVector * 8u);
  var nextW1 = loadW(column0 + 32u + loadRow, loadVector * 8u);
  var nextW2 = loadW(column0 + 64u + loadRow, loadVector * 8u);
  var nextW3 = loadW(column0 + 96u + loadRow, loadVector * 8u);
  for (var k0 = 0u; k0 < inner; k0 += 32u) {
    workgroupBarrier();
    let at = loadRow * pitch + loadVector;
    sliceX[at + 0u * pitch] = nextX0;
    sliceW[at + 0u * pitch] = nextW0;
    sliceX[at + 32u * pitch] = nextX1;
    sliceW[at + 32u * pitch] = nextW1;
    sliceX[at + 64u * pitch] = nextX2;
    sliceW[at + 64u * pitch] = nextW2;
    sliceX[at + 96u * pitch] = nextX3;
    sliceW[at + 96u * pitch] = nextW3;
    workgroupBarrier();
    if (k0 + 32u < inner) {
      nextX0 = loadX(row0 + 0u + loadRow, k0 + 32u + loadVector * 8u);
      nextX1 = loadX(row0 + 32u + loadRow, k0 + 32u + loadVector * 8u);
      nextX2 = loadX(row0 + 64u + loadRow, k0 + 32u + loadVector * 8u);
      nextX3 = loadX(row0 + 96u + loadRow, k0 + 32u + loadVector * 8u);
      nextW0 = loadW(column0 + 0u + loadRow, k0 + 32u + loadVector * 8u);
      nextW1 = loadW(column0 + 32u + loadRow, k0 + 32u + loadVector * 8u);
      nextW2 = loadW(column0 + 64u + loadRow, k0 + 32u + loadVector * 8u);
      nextW3 = loadW(column0 + 96u + loadRow, k0 + 32u + loadVector * 8u);
    }
    // Unrolled by hand: an array of matrices indexed in a loop lives in memory, not in registers (35 TFLOP/s instead of 113 at 6144^3 on an H200).
    for (var kk = 0u; kk < 2u; kk++) {
      let atX = subgroupRow * pitch + kk * 2u;
      let atW = subgroupColumn * pitch + kk * 2u;
      let left0 = subgroupMatrixLoad<Left, row_major>(&sliceX, atX + 0u * pitch, pitch);
      let left1 = subgroupMatrixLoad<Left, row_major>(&sliceX, atX + 16u * pitch, pitch);
      let left2 = subgroupMatrixLoad<Left, row_major>(&sliceX, atX + 32u * pitch, pitch);
      let left3 = subgroupMatrixLoad<Left, row_major>(&sliceX, atX + 48u * pitch, pitch);
      let right0 = subgroupMatrixLoad<Right, col_major>(&sliceW, atW + 0u * pitch, pitch);
      sum00 = subgroupMatrixMultiplyAccumulate(left0, right0, sum00);
      sum10 = subgroupMatrixMultiplyAccumulate(left1, right0, sum10);
      sum20 = subgroupMatrixMultiplyAccumulate(left2, right0, sum20);
      sum30 = subgroupMatrixMultiplyAccumulate(left3, right0, sum30);
      let right1 = subgroupMatrixLoad<Right, col_major>(&sliceW, atW + 16u * pitch, pitch);
      sum01 = subgroupMatrixMultiplyAccumulate(left0, right1, sum01);
      sum11 = subgroupMatrixMultiplyAccumulate(left1, right1, sum11);
      sum21 = subgroupMatrixMultiplyAccumulate(left2, right1, sum21);
      sum31 = subgroupMatrixMultiplyAccumulate(left3, right1, sum31);
      let right2 = subgroupMatrixLoad<Right, col_major>(&sliceW, atW + 32u * pitch, pitch);
      sum02 = subgroupMatrixMultiplyAccumulate(left0, right2, sum02);
      sum12 = subgroupMatrixMultiplyAccumulate(left1, right2, sum12);
      sum22 = subgroupMatrixMultiplyAccumulate(left2, right2, sum22);
      sum32 = subgroupMatrixMultiplyAccumulate(left3, right2, sum32);
      let right3 = subgroupMatrixLoad<Right, col_major>(&sliceW, atW + 48u * pitch, pitch);
      sum03 = subgroupMatrixMultiplyAccumulate(left0, right3, sum03);
      sum13 = subgroupMatrixMultiplyAccumulate(left1, right3, sum13);
      sum23 = subgroupMatrixMultiplyAccumulate(left2, right3, sum23);
      sum33 = subgroupMatrixMultiplyAccumulate(left3, right3, sum33);
    }
  }
  let base = subgroup * 16u * stripPitch;
  for (var i = 0u; i < 4u; i++) {
    workgroupBarrier();
    switch i {
      case 0u: {
        subgroupMatrixStore<row_major>(&strip, base + 0u, sum00, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 16u, sum01, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 32u, sum02, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 48u, sum03, stripPitch);
      }
      case 1u: {
        subgroupMatrixStore<row_major>(&strip, base + 0u, sum10, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 16u, sum11, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 32u, sum12, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 48u, sum13, stripPitch);
      }
      case 2u: {
        subgroupMatrixStore<row_major>(&strip, base + 0u, sum20, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 16u, sum21, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 32u, sum22, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 48u, sum23, stripPitch);
      }
      default: {
        subgroupMatrixStore<row_major>(&strip, base + 0u, sum30, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 16u, sum31, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 32u, sum32, stripPitch);
        subgroupMatrixStore<row_major>(&strip, base + 48u, sum33, stripPitch);
      }
    }
    workgroupBarrier();
    for (var r = 0u; r < 16u; r++) {
      let m = row0 + subgroupRow + i * 16u + r;
      if (m >= params.rows) { break; }
      for (var h = 0u; h < 2u; h++) {
        if (gated) {
          let n = column0 + subgroupColumn + lane * 2u;
          if (h == 0u && n < params.columns) {
            let at = base + r * stripPitch + lane * 2u;
            store(preActivation(strip[at], m, n) * activate(preActivation(strip[at + 1u], m, n + 1u)), m, n / 2u, params.columns / 2u);
          }
        } else {
          let n = column0 + subgroupColumn + h * 32u + lane;
          if (n < params.columns) { store(activate(preActivation(strip[base + r * stripPitch + h * 32u + lane], m, n)), m, n, params.columns); }
        }
      }
    }
  }
}

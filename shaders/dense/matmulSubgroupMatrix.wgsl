// The same function, bindings and Params as matmul.wgsl, on subgroup matrices: f16 in, f32 sums.
//
// One workgroup: a tile of 128 rows x 128 columns, eight subgroups of 64 x 32 (8 sums of 16 x 16 in registers). Each 32-deep slice of
// both operands goes through workgroup memory, rows padded by 8 halves; the next slice is fetched into registers meanwhile. Loader
// threads take rows so that every eight of them store 128 bytes of different banks. Matrix elements are out of WGSL's reach: the
// epilogue goes through strips of the same workgroup memory, 16 rows a subgroup at a time, four columns a thread.
// Needs: channels a multiple of 32 (a slice lies in one tap); inputStride and inputColumn multiples of 8; columns, and strides and first
// columns of everything per output, multiples of 4 (columns of 8 where `gated`).
//
// A denoising step's 422 calls on an H200: 179 ms, 221 TFLOP/s (574 ms, 72 before). Tried there, in TFLOP/s, medians of five: weighted
// mean of eight shapes that stand for the step; 6144^3; 3x3 of 320 channels at 96x96:
//   128x128, 64x64 a subgroup, scalar epilogue, bounds and taps found anew at every load      55   86    57 (the kernel before)
//   128x128, 64x64 a subgroup (128 threads, two workgroups a multiprocessor by registers)    181  250   227
//   128x128, 64x32 (this one: half the registers, twice the subgroups in flight)             200  269   215
//   64 deep slices: 64x32                                                                    176  252   205 (64x64: 123, 169, 160)
//   128x160, 64x80: 192, 260, 242; 128x320, 64x80: 194, 256, 270 (the best for convolutions to 320 n columns: no empty columns)
//   256x128: 64x32 186, 64x64 167; 128x256, 64x32 167; 256x160, 64x80 162; 128x96, 64x48 163; 64x160 153; 256x64 131; 128x160, 32x80 120
//   Two buffers, one barrier a slice, stores of the next slice before the multiplies: 94-104 for 64x64, 64x32 and 64x80.
//   Dawn without robust buffer access (clamps in the shader instead): 199. Without any checks: 139. The checks cost nothing.
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
  weightRows: u32,
  xSegment: vec3u, ySegment: vec3u,
}
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;            // f16 [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<vec4<u32>>;       // f16 [weights, columns, taps * channels]
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;             // [columns]
@group(0) @binding(3) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(4) var<storage, read> rowBias: array<vec4f>;          // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<vec4f>;             // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<vec4<Residual>>; // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<vec4<Output>>;   // [rows, outputStride]
@group(0) @binding(8) var<uniform> params: Params;

const pitch = 5u;      // vectors of 8 halves between rows of a slice: 32 halves and 8 of padding
const sliceW = 640u;   // first vector of the weight's slice, after 128 rows of x
const stripPitch = 9u; // vectors of 4 floats between rows of a strip
const none = 0xffffffffu;
var<workgroup> tiles: array<vec4<u32>, 1280>; // a slice of x and one of weight; then eight strips of 16 x 32 floats

fn erf(v: vec4f) -> vec4f { // Abramowitz and Stegun 7.1.26, |error| < 1.5e-7
  let t = 1.0 / (1.0 + 0.3275911 * abs(v));
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(v) * (1.0 - p * exp(-v * v));
}

fn activate(v: vec4f) -> vec4f {
  switch activation {
    case 1u: { return v / (1.0 + exp(min(-v, vec4f(87.0)))); }
    case 2u: { return 0.5 * v * (1.0 + erf(v * 0.70710678118654752)); }
    case 3u: { return 0.5 * v * (1.0 + tanh(clamp(0.79788456080286536 * (v + 0.044715 * v * v * v), vec4f(-15.0), vec4f(15.0)))); }
    default: { return v; }
  }
}

fn segmentedRow(m: u32, segmented: bool, segment: vec3u) -> u32 {
  if (!segmented) { return m; }
  return segment.x + m / segment.y * segment.z + m % segment.y;
}

// First vector of the row of x that a tap reads, or none. Rows past the end are computed and not stored.
fn firstVector(row: u32, tap: u32) -> u32 {
  let m = min(row, params.rows - 1u);
  if (!gathered) { return (segmentedRow(m, segmentedX, params.xSegment) * params.inputStride + params.inputColumn) / 8u; }
  let image = m / params.imageRowsOut;
  let neighbour = neighbours[(m - image * params.imageRowsOut) * params.taps + tap];
  if (neighbour < 0) { return none; }
  return ((image * params.imageRowsIn + u32(neighbour)) * params.inputStride + params.inputColumn) / 8u;
}

fn loadX(first: u32, k: u32) -> vec4<u32> {
  if (gathered) { if (first == none) { return vec4<u32>(); } }
  return x[first + k];
}

fn preActivation(sum: vec4f, m: u32, n: u32) -> vec4f {
  var v = sum;
  if (hasBias) { v += bias[n / 4u]; }
  if (hasRowBias) { v += rowBias[((params.firstRow + m) / params.rowBiasRows * params.rowBiasStride + params.rowBiasColumn + n) / 4u]; }
  return v;
}

// What is added last, fetched before it is needed. Columns of y.
fn addend(m: u32, n: u32, width: u32) -> vec4f {
  var v = vec4f();
  if (m >= params.rows || n >= width) { return v; }
  let row = segmentedRow(m, segmentedY, params.ySegment);
  if (hasResidual) { v = vec4f(residual[(row * width + n) / 4u]); }
  if (accumulate) { v += vec4f(y[(row * params.outputStride + params.outputColumn + n) / 4u]); }
  return v;
}

// A thread's part of a strip: up to four vectors of y, in rows 4 (gated: 8) apart.
fn addends(m: u32, n: u32, lane: u32) -> mat4x4f {
  if (!hasResidual && !accumulate) { return mat4x4f(); }
  if (gated) {
    let corner = vec2u(m + lane / 4u, n / 2u + lane % 4u * 4u);
    return mat4x4f(addend(corner.x, corner.y, params.columns / 2u), addend(corner.x + 8u, corner.y, params.columns / 2u), vec4f(), vec4f());
  }
  let corner = vec2u(m + lane / 8u, n + lane % 8u * 4u);
  return mat4x4f(addend(corner.x, corner.y, params.columns), addend(corner.x + 4u, corner.y, params.columns),
                 addend(corner.x + 8u, corner.y, params.columns), addend(corner.x + 12u, corner.y, params.columns));
}

fn store(value: vec4f, addend: vec4f, m: u32, n: u32) {
  var v = value;
  if (hasGate) { v *= gate[((params.firstRow + m) / params.gateRows * params.gateStride + params.gateColumn + n) / 4u]; }
  y[(segmentedRow(m, segmentedY, params.ySegment) * params.outputStride + params.outputColumn + n) / 4u] = vec4<Output>(v + addend);
}

fn finish(strip: u32, addend: vec4f, m0: u32, n0: u32, r: u32, c: u32) {
  let at = strip + r * stripPitch + c;
  let m = m0 + r;
  let n = n0 + c * 4u;
  if (m >= params.rows || n >= params.columns) { return; }
  let a = preActivation(bitcast<vec4f>(tiles[at]), m, n);
  if (!gated) { store(activate(a), addend, m, n); return; }
  let b = preActivation(bitcast<vec4f>(tiles[at + 1u]), m, n + 4u);
  store(vec4f(a.xz, b.xz) * activate(vec4f(a.yw, b.yw)), addend, m, n / 2u);
}

fn finishStrip(strip: u32, old: mat4x4f, m: u32, n: u32, lane: u32) {
  if (gated) {
    finish(strip, old[0], m, n, lane / 4u, lane % 4u * 2u);
    finish(strip, old[1], m, n, lane / 4u + 8u, lane % 4u * 2u);
  } else {
    finish(strip, old[0], m, n, lane / 8u, lane % 8u);
    finish(strip, old[1], m, n, lane / 8u + 4u, lane % 8u);
    finish(strip, old[2], m, n, lane / 8u + 8u, lane % 8u);
    finish(strip, old[3], m, n, lane / 8u + 12u, lane % 8u);
  }
}

// After the first function: the reader of declarations cannot parse these types.
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32,
        @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * groups.x;
  let row0 = tile / params.columnTiles * 128u;
  let column0 = tile % params.columnTiles * 128u;
  if (row0 >= params.rows) { return; }
  let subgroupRow = thread / 128u * 64u;
  let subgroupColumn = thread / 32u % 4u * 32u;
  let inner = params.taps * params.channels;
  let loadRow = thread / 4u % 2u * 4u + thread / 8u % 4u + thread / 32u * 8u; // of 64: neighbours are four rows apart
  let loadVector = thread % 4u;
  let at = loadRow * pitch + loadVector;
  var sum00: Sum; var sum01: Sum;
  var sum10: Sum; var sum11: Sum;
  var sum20: Sum; var sum21: Sum;
  var sum30: Sum; var sum31: Sum;
  var firstX0 = firstVector(row0 + loadRow, 0u);
  var firstX1 = firstVector(row0 + 64u + loadRow, 0u);
  let firstWeight = (params.firstRow + row0) / params.weightRows * params.columns;
  let firstW0 = (firstWeight + min(column0 + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  let firstW1 = (firstWeight + min(column0 + 64u + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  var nextX0 = loadX(firstX0, loadVector);
  var nextX1 = loadX(firstX1, loadVector);
  var nextW0 = weight[firstW0];
  var nextW1 = weight[firstW1];
  var channel = 0u;
  var tap = 0u;
  for (var k0 = 0u; k0 < inner; k0 += 32u) {
    workgroupBarrier();
    tiles[at] = nextX0;
    tiles[at + 64u * pitch] = nextX1;
    tiles[sliceW + at] = nextW0;
    tiles[sliceW + at + 64u * pitch] = nextW1;
    workgroupBarrier();
    if (k0 + 32u < inner) {
      channel += 32u;
      if (gathered) {
        if (channel == params.channels) {
          channel = 0u;
          tap += 1u;
          firstX0 = firstVector(row0 + loadRow, tap);
          firstX1 = firstVector(row0 + 64u + loadRow, tap);
        }
      }
      nextX0 = loadX(firstX0, channel / 8u + loadVector);
      nextX1 = loadX(firstX1, channel / 8u + loadVector);
      nextW0 = weight[firstW0 + (k0 + 32u) / 8u];
      nextW1 = weight[firstW1 + (k0 + 32u) / 8u];
    }
    // Unrolled by hand: an array of matrices indexed in a loop lives in memory, not in registers.
    let atX = subgroupRow * pitch;
    let atW = sliceW + subgroupColumn * pitch;
    {
      let left0 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 0u, pitch);
      let left1 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 80u, pitch);
      let left2 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 160u, pitch);
      let left3 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 240u, pitch);
      let right0 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 0u, pitch);
      sum00 = subgroupMatrixMultiplyAccumulate(left0, right0, sum00);
      sum10 = subgroupMatrixMultiplyAccumulate(left1, right0, sum10);
      sum20 = subgroupMatrixMultiplyAccumulate(left2, right0, sum20);
      sum30 = subgroupMatrixMultiplyAccumulate(left3, right0, sum30);
      let right1 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 80u, pitch);
      sum01 = subgroupMatrixMultiplyAccumulate(left0, right1, sum01);
      sum11 = subgroupMatrixMultiplyAccumulate(left1, right1, sum11);
      sum21 = subgroupMatrixMultiplyAccumulate(left2, right1, sum21);
      sum31 = subgroupMatrixMultiplyAccumulate(left3, right1, sum31);
    }
    {
      let left0 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 2u, pitch);
      let left1 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 82u, pitch);
      let left2 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 162u, pitch);
      let left3 = subgroupMatrixLoad<Left, row_major>(&tiles, atX + 242u, pitch);
      let right0 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 2u, pitch);
      sum00 = subgroupMatrixMultiplyAccumulate(left0, right0, sum00);
      sum10 = subgroupMatrixMultiplyAccumulate(left1, right0, sum10);
      sum20 = subgroupMatrixMultiplyAccumulate(left2, right0, sum20);
      sum30 = subgroupMatrixMultiplyAccumulate(left3, right0, sum30);
      let right1 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 82u, pitch);
      sum01 = subgroupMatrixMultiplyAccumulate(left0, right1, sum01);
      sum11 = subgroupMatrixMultiplyAccumulate(left1, right1, sum11);
      sum21 = subgroupMatrixMultiplyAccumulate(left2, right1, sum21);
      sum31 = subgroupMatrixMultiplyAccumulate(left3, right1, sum31);
    }
  }
  let strip = thread / 32u * 16u * stripPitch;
  let m = row0 + subgroupRow;
  let n = column0 + subgroupColumn;
  let old0 = addends(m + 0u, n, lane);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip, sum00, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum01, stripPitch);
  workgroupBarrier();
  finishStrip(strip, old0, m + 0u, n, lane);
  let old1 = addends(m + 16u, n, lane);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip, sum10, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum11, stripPitch);
  workgroupBarrier();
  finishStrip(strip, old1, m + 16u, n, lane);
  let old2 = addends(m + 32u, n, lane);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip, sum20, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum21, stripPitch);
  workgroupBarrier();
  finishStrip(strip, old2, m + 32u, n, lane);
  let old3 = addends(m + 48u, n, lane);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip, sum30, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum31, stripPitch);
  workgroupBarrier();
  finishStrip(strip, old3, m + 48u, n, lane);
}

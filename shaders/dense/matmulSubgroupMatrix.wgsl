// The same function, bindings and Params as matmul.wgsl, on subgroup matrices: f16 in, f32 sums.
// Longer than 150 lines: unrolled by hand, so that matrices stay in registers and offsets constant, as measured (docs/matmul.md).
//
// One workgroup: a tile of 128 rows x 32 fragmentColumns columns, four subgroups of 64 x 16 fragmentColumns (16 or 20 sums of 16 x 16 in
// registers: two workgroups a multiprocessor, by registers and by workgroup memory). Each 32-deep slice of both operands goes through
// workgroup memory, rows padded by 8 halves; the next slice is fetched into registers meanwhile. Convolutions take the taps inside the
// channels: a slice's rows are then in the first level cache for the other taps. docs/matmul.md says what was tried and why this is so.
// Needs: channels a multiple of 32; inputStride and inputColumn multiples of 8; columns, and strides and first columns of everything per
// output, multiples of 4 (columns of 8 where `gated`).
alias Output = f32;
alias Residual = f32;
override fragmentColumns: u32 = 4; // 4 or 5: tiles of 128 or 160 columns
override gated: bool = false;
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;            // f16 [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<vec4<u32>>;       // f16 [weights, columns, taps * channels]
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;             // [columns]
@group(0) @binding(3) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(4) var<storage, read> rowBias: array<vec4f>;          // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<vec4f>;             // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<vec4<Residual>>; // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<vec4<Output>>;   // [rows, outputStride]
@group(0) @binding(8) var<uniform> params: Params;

const pitch = 5u; // vectors of 8 halves between rows of a slice: 32 halves and 8 of padding
const sliceW = 640u; // first vector of the weight's slice, after 128 rows of x
const none = 0xffffffffu;
// A slice of x and one of weight; then a strip of 16 rows of each subgroup's sums, rows 8 (mod 32) words apart.
var<workgroup> tiles: array<vec4<u32>, max(640u + fragmentColumns * 160u, 64u * (4u * fragmentColumns + 2u))>;

// include "dense/matmulEpilogue"
// include "dense/matmulStrips"

// First vector of a row of x, or of the row that a neighbour is. Rows past the end are computed and not stored.
fn firstVector(row: u32) -> u32 {
  return (segmentedRow(min(row, params.rows - 1u), segmentedX, params.xSegment) * params.inputStride + params.inputColumn) / 8u;
}

// Where the neighbours of a row stand, and the first row of its image.
fn neighbourhood(row: u32) -> vec2u {
  let m = min(row, params.rows - 1u);
  let image = m / params.imageRowsOut;
  return vec2u((m - image * params.imageRowsOut) * params.taps, image * params.imageRowsIn);
}

fn neighbourVector(hood: vec2u, tap: u32) -> u32 {
  let neighbour = neighbours[hood.x + tap];
  if (neighbour < 0) { return none; }
  return ((hood.y + u32(neighbour)) * params.inputStride + params.inputColumn) / 8u;
}

fn loadX(first: u32, k: u32) -> vec4<u32> {
  if (gathered) { if (first == none) { return vec4<u32>(); } }
  return x[first + k];
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
  let column0 = tile % params.columnTiles * (32u * fragmentColumns);
  if (row0 >= params.rows) { return; }
  let subgroup = thread / 32u;
  let inner = params.taps * params.channels;
  let loadRow = thread / 4u % 2u * 4u + thread / 8u % 4u + subgroup * 8u; // of 32: neighbours are four rows apart, so that eight threads
  let loadVector = thread % 4u;                                           // store to different banks
  let at = loadRow * pitch + loadVector;
  let atX = subgroup / 2u * 64u * pitch;
  let atW = sliceW + subgroup % 2u * 16u * fragmentColumns * pitch;
  var sum00: Sum; var sum01: Sum; var sum02: Sum; var sum03: Sum; var sum04: Sum;
  var sum10: Sum; var sum11: Sum; var sum12: Sum; var sum13: Sum; var sum14: Sum;
  var sum20: Sum; var sum21: Sum; var sum22: Sum; var sum23: Sum; var sum24: Sum;
  var sum30: Sum; var sum31: Sum; var sum32: Sum; var sum33: Sum; var sum34: Sum;
  let firstWeight = (params.firstRow + row0) / params.weightRows * params.columns;
  let firstW0 = (firstWeight + min(column0 + 0u + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  let firstW1 = (firstWeight + min(column0 + 32u + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  let firstW2 = (firstWeight + min(column0 + 64u + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  let firstW3 = (firstWeight + min(column0 + 96u + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  let firstW4 = (firstWeight + min(column0 + 128u + loadRow, params.columns - 1u)) * (inner / 8u) + loadVector;
  var hood0: vec2u; var hood1: vec2u; var hood2: vec2u; var hood3: vec2u;
  var first0: u32; var first1: u32; var first2: u32; var first3: u32;
  if (gathered) {
    hood0 = neighbourhood(row0 + 0u + loadRow); first0 = neighbourVector(hood0, 0u);
    hood1 = neighbourhood(row0 + 32u + loadRow); first1 = neighbourVector(hood1, 0u);
    hood2 = neighbourhood(row0 + 64u + loadRow); first2 = neighbourVector(hood2, 0u);
    hood3 = neighbourhood(row0 + 96u + loadRow); first3 = neighbourVector(hood3, 0u);
  } else {
    first0 = firstVector(row0 + 0u + loadRow);
    first1 = firstVector(row0 + 32u + loadRow);
    first2 = firstVector(row0 + 64u + loadRow);
    first3 = firstVector(row0 + 96u + loadRow);
  }
  {
    let x0 = loadX(first0, loadVector);
    let x1 = loadX(first1, loadVector);
    let x2 = loadX(first2, loadVector);
    let x3 = loadX(first3, loadVector);
    let w0 = weight[firstW0 + 0u];
    let w1 = weight[firstW1 + 0u];
    let w2 = weight[firstW2 + 0u];
    let w3 = weight[firstW3 + 0u];
    var w4: vec4<u32>;
    if (fragmentColumns > 4u) { w4 = weight[firstW4 + 0u]; }
    tiles[at] = x0;
    tiles[at + 160u] = x1;
    tiles[at + 320u] = x2;
    tiles[at + 480u] = x3;
    tiles[sliceW + at] = w0;
    tiles[sliceW + at + 160u] = w1;
    tiles[sliceW + at + 320u] = w2;
    tiles[sliceW + at + 480u] = w3;
    if (fragmentColumns > 4u) { tiles[sliceW + at + 640u] = w4; }
  }
  workgroupBarrier();
  var tap = 0u;
  var channel0 = 0u;
  if (gathered && params.taps > 1u) {
    first0 = neighbourVector(hood0, 1u);
    first1 = neighbourVector(hood1, 1u);
    first2 = neighbourVector(hood2, 1u);
    first3 = neighbourVector(hood3, 1u);
  }
  // Loaded and stored in the same turn: a value carried into the next turn is copied at the end of this one, and the copy waits for it.
  for (var k0 = 0u; k0 < inner; k0 += 32u) {
    var nextK = min(k0 + 32u, inner - 32u); // of a row of weight
    var channel = nextK;
    if (gathered) { // taps inside channels: the first level cache then holds the rows for all taps
      tap += 1u;
      if (tap == params.taps) {
        tap = 0u;
        channel0 = min(channel0 + 32u, params.channels - 32u);
      }
      channel = channel0;
      nextK = tap * params.channels + channel;
    }
    let x0 = loadX(first0, channel / 8u + loadVector);
    let x1 = loadX(first1, channel / 8u + loadVector);
    let x2 = loadX(first2, channel / 8u + loadVector);
    let x3 = loadX(first3, channel / 8u + loadVector);
    let w0 = weight[firstW0 + nextK / 8u];
    let w1 = weight[firstW1 + nextK / 8u];
    let w2 = weight[firstW2 + nextK / 8u];
    let w3 = weight[firstW3 + nextK / 8u];
    var w4: vec4<u32>;
    if (fragmentColumns > 4u) { w4 = weight[firstW4 + nextK / 8u]; }
    if (gathered) { // a turn ahead
      let tapAfter = select(tap + 1u, 0u, tap + 1u == params.taps);
      first0 = neighbourVector(hood0, tapAfter);
      first1 = neighbourVector(hood1, tapAfter);
      first2 = neighbourVector(hood2, tapAfter);
      first3 = neighbourVector(hood3, tapAfter);
    }
    // By hand: an array of matrices indexed in a loop lives in memory, not in registers.
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
      let right2 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 160u, pitch);
      sum02 = subgroupMatrixMultiplyAccumulate(left0, right2, sum02);
      sum12 = subgroupMatrixMultiplyAccumulate(left1, right2, sum12);
      sum22 = subgroupMatrixMultiplyAccumulate(left2, right2, sum22);
      sum32 = subgroupMatrixMultiplyAccumulate(left3, right2, sum32);
      let right3 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 240u, pitch);
      sum03 = subgroupMatrixMultiplyAccumulate(left0, right3, sum03);
      sum13 = subgroupMatrixMultiplyAccumulate(left1, right3, sum13);
      sum23 = subgroupMatrixMultiplyAccumulate(left2, right3, sum23);
      sum33 = subgroupMatrixMultiplyAccumulate(left3, right3, sum33);
      if (fragmentColumns > 4u) {
        let right4 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 320u, pitch);
        sum04 = subgroupMatrixMultiplyAccumulate(left0, right4, sum04);
        sum14 = subgroupMatrixMultiplyAccumulate(left1, right4, sum14);
        sum24 = subgroupMatrixMultiplyAccumulate(left2, right4, sum24);
        sum34 = subgroupMatrixMultiplyAccumulate(left3, right4, sum34);
      }
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
      let right2 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 162u, pitch);
      sum02 = subgroupMatrixMultiplyAccumulate(left0, right2, sum02);
      sum12 = subgroupMatrixMultiplyAccumulate(left1, right2, sum12);
      sum22 = subgroupMatrixMultiplyAccumulate(left2, right2, sum22);
      sum32 = subgroupMatrixMultiplyAccumulate(left3, right2, sum32);
      let right3 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 242u, pitch);
      sum03 = subgroupMatrixMultiplyAccumulate(left0, right3, sum03);
      sum13 = subgroupMatrixMultiplyAccumulate(left1, right3, sum13);
      sum23 = subgroupMatrixMultiplyAccumulate(left2, right3, sum23);
      sum33 = subgroupMatrixMultiplyAccumulate(left3, right3, sum33);
      if (fragmentColumns > 4u) {
        let right4 = subgroupMatrixLoad<Right, col_major>(&tiles, atW + 322u, pitch);
        sum04 = subgroupMatrixMultiplyAccumulate(left0, right4, sum04);
        sum14 = subgroupMatrixMultiplyAccumulate(left1, right4, sum14);
        sum24 = subgroupMatrixMultiplyAccumulate(left2, right4, sum24);
        sum34 = subgroupMatrixMultiplyAccumulate(left3, right4, sum34);
      }
    }
    workgroupBarrier();
    tiles[at] = x0;
    tiles[at + 160u] = x1;
    tiles[at + 320u] = x2;
    tiles[at + 480u] = x3;
    tiles[sliceW + at] = w0;
    tiles[sliceW + at + 160u] = w1;
    tiles[sliceW + at + 320u] = w2;
    tiles[sliceW + at + 480u] = w3;
    if (fragmentColumns > 4u) { tiles[sliceW + at + 640u] = w4; }
    workgroupBarrier();
  }
  let stripPitch = 4u * fragmentColumns + 2u;
  let strip = subgroup * 16u * stripPitch;
  let m = row0 + subgroup / 2u * 64u;
  let n = column0 + subgroup % 2u * 16u * fragmentColumns;
  var next0: Addends;
  var next1: Addends;
  var next2: Addends;
  var next3: Addends;
  var next4: Addends;
  next0 = addendsAt(0u, lane, m + 0u, n);
  next1 = addendsAt(1u, lane, m + 0u, n);
  next2 = addendsAt(2u, lane, m + 0u, n);
  next3 = addendsAt(3u, lane, m + 0u, n);
  if (fragmentColumns > 4u) { next4 = addendsAt(4u, lane, m + 0u, n); }
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum00, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum01, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum02, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum03, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum04, stripPitch); }
  let old00 = next0;
  let old01 = next1;
  let old02 = next2;
  let old03 = next3;
  let old04 = next4;
  next0 = addendsAt(0u, lane, m + 16u, n);
  next1 = addendsAt(1u, lane, m + 16u, n);
  next2 = addendsAt(2u, lane, m + 16u, n);
  next3 = addendsAt(3u, lane, m + 16u, n);
  if (fragmentColumns > 4u) { next4 = addendsAt(4u, lane, m + 16u, n); }
  workgroupBarrier();
  finish(old00, 0u, lane, strip, m + 0u, n);
  finish(old01, 1u, lane, strip, m + 0u, n);
  finish(old02, 2u, lane, strip, m + 0u, n);
  finish(old03, 3u, lane, strip, m + 0u, n);
  if (fragmentColumns > 4u) { finish(old04, 4u, lane, strip, m + 0u, n); }
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum10, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum11, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum12, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum13, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum14, stripPitch); }
  let old10 = next0;
  let old11 = next1;
  let old12 = next2;
  let old13 = next3;
  let old14 = next4;
  next0 = addendsAt(0u, lane, m + 32u, n);
  next1 = addendsAt(1u, lane, m + 32u, n);
  next2 = addendsAt(2u, lane, m + 32u, n);
  next3 = addendsAt(3u, lane, m + 32u, n);
  if (fragmentColumns > 4u) { next4 = addendsAt(4u, lane, m + 32u, n); }
  workgroupBarrier();
  finish(old10, 0u, lane, strip, m + 16u, n);
  finish(old11, 1u, lane, strip, m + 16u, n);
  finish(old12, 2u, lane, strip, m + 16u, n);
  finish(old13, 3u, lane, strip, m + 16u, n);
  if (fragmentColumns > 4u) { finish(old14, 4u, lane, strip, m + 16u, n); }
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum20, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum21, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum22, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum23, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum24, stripPitch); }
  let old20 = next0;
  let old21 = next1;
  let old22 = next2;
  let old23 = next3;
  let old24 = next4;
  next0 = addendsAt(0u, lane, m + 48u, n);
  next1 = addendsAt(1u, lane, m + 48u, n);
  next2 = addendsAt(2u, lane, m + 48u, n);
  next3 = addendsAt(3u, lane, m + 48u, n);
  if (fragmentColumns > 4u) { next4 = addendsAt(4u, lane, m + 48u, n); }
  workgroupBarrier();
  finish(old20, 0u, lane, strip, m + 32u, n);
  finish(old21, 1u, lane, strip, m + 32u, n);
  finish(old22, 2u, lane, strip, m + 32u, n);
  finish(old23, 3u, lane, strip, m + 32u, n);
  if (fragmentColumns > 4u) { finish(old24, 4u, lane, strip, m + 32u, n); }
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum30, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum31, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum32, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum33, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum34, stripPitch); }
  let old30 = next0;
  let old31 = next1;
  let old32 = next2;
  let old33 = next3;
  let old34 = next4;
  workgroupBarrier();
  finish(old30, 0u, lane, strip, m + 48u, n);
  finish(old31, 1u, lane, strip, m + 48u, n);
  finish(old32, 2u, lane, strip, m + 48u, n);
  finish(old33, 3u, lane, strip, m + 48u, n);
  if (fragmentColumns > 4u) { finish(old34, 4u, lane, strip, m + 48u, n); }
}

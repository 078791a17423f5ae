// matmulSubgroupMatrix.wgsl for products with few tiles, which leave a multiprocessor one workgroup: eight subgroups instead of four, the
// second four with every second 32 channels, so that a multiprocessor is as busy as with two workgroups. The two sums of an element meet
// where strips of sums pass through workgroup memory.
//
// One workgroup: a tile of 128 rows x 32 fragmentColumns columns, in slices of 64 channels, rows padded by 8 halves. `tail`: at most 8 rows behind
// the last whole tile are no tile of their own. They ride along with every tile: each of its subgroups multiplies them by 16 columns, other
// ones in every row of tiles, of which there are at least three. `inParts`: several workgroups share a
// tile, each with a part of the channels, and matmulPartsSum.wgsl or matmulPartsNorm.wgsl adds up the sums.
// Needs: channels a multiple of 64; inputStride and inputColumn multiples of 8; columns, and strides and first columns of everything per
// output, multiples of 4; 44 KiB of workgroup memory. docs/matmul.md says what was tried.
// Longer than 150 lines: unrolled by hand, so that matrices stay in registers and offsets constant, as measured there.
alias Output = f32;
alias Residual = f32;
override fragmentColumns: u32 = 4; // 4 or 5: tiles of 128 or 160 columns
override tail: bool = false;
override inParts: bool = false;
const gated = false;
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;            // f16 [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<vec4<u32>>;       // f16 [columns, channels]
@group(0) @binding(2) var<storage, read> neighbours: array<i32>;         // none
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;             // [columns]
@group(0) @binding(4) var<storage, read> rowBias: array<vec4f>;          // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<vec4f>;             // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<vec4<Residual>>; // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<vec4<Output>>;   // [rows, outputStride]; in parts [parts, rows, columns]
@group(0) @binding(8) var<uniform> params: Params;

const pitch = 9u; // vectors of 8 halves between rows of a slice: 64 halves and 8 of padding
const sliceT = 128u * pitch; // first vector of the slice of the tail, after 128 rows of x
const sliceW = sliceT + 8u * pitch; // of the weight's, after 8 of the tail
const none = 0xffffffffu;
const stripPadding = 2u; // vectors behind the columns of a strip: rows are 8 (mod 32) words apart
override stripPitch: u32 = 4u * fragmentColumns + stripPadding;
// A slice of x, one of the tail and one of weight; then a strip of 16 rows of each subgroup's sums.
var<workgroup> tiles: array<vec4<u32>, max(sliceW + fragmentColumns * 32u * pitch, 128u * (4u * fragmentColumns + stripPadding))>;

// include "dense/matmulMatrices"
// include "dense/matmulEpilogue"

// include "dense/matmulFewTilesStrips"

// Of the rows behind the last tile: columns of the product by these rows.
alias TailRight = subgroup_matrix_right<f16, 8, 16>;
alias TailSum = subgroup_matrix_result<f32, 8, 16>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tilesOfPart = params.partRows / 128u * params.columnTiles;
  let part = (group.x + group.y * groups.x) / tilesOfPart;
  if (part >= params.parts) { return; }
  let tile = (group.x + group.y * groups.x) % tilesOfPart;
  let row0 = tile / params.columnTiles * 128u;
  let column0 = tile % params.columnTiles * (32u * fragmentColumns);
  let depth = (params.channels / 64u + params.parts - 1u) / params.parts * 64u;
  let firstK = part * depth;
  let endK = min(firstK + depth, params.channels);
  let subgroup = thread / 32u;
  let half = subgroup / 4u; // of a slice's channels
  // Row of 32 and vector of 8 that a thread fetches: eight threads read a line of 128 bytes and store to different banks.
  let lane = thread % 32u;
  let inRows = vec2u(thread / 8u, thread % 8u);
  let inBlocks = vec2u(subgroup / 2u * 8u + lane / 4u % 2u * 4u + lane / 8u, subgroup % 2u * 4u + lane % 4u);
  let placeX = select(inRows, inBlocks, blockedX);
  let placeW = select(inRows, inBlocks, blockedWeight);
  let putX = placeX.x * pitch + placeX.y;
  let putW = sliceW + placeW.x * pitch + placeW.y;
  let atX = subgroup / 2u % 2u * 64u * pitch + half * 4u;
  let atW = sliceW + subgroup % 2u * 16u * fragmentColumns * pitch + half * 4u;
  let tailBlock = tile / params.columnTiles * 4u + subgroup % 4u; // of 16 columns, of the tile's 2 fragmentColumns or none
  let atT = sliceT + half * 4u;
  let atTW = sliceW + min(tailBlock, 2u * fragmentColumns - 1u) * 16u * pitch + half * 4u;
  var sum00: Sum; var sum01: Sum; var sum02: Sum; var sum03: Sum; var sum04: Sum;
  var sum10: Sum; var sum11: Sum; var sum12: Sum; var sum13: Sum; var sum14: Sum;
  var sum20: Sum; var sum21: Sum; var sum22: Sum; var sum23: Sum; var sum24: Sum;
  var sum30: Sum; var sum31: Sum; var sum32: Sum; var sum33: Sum; var sum34: Sum;
  var sumTail: TailSum;
  let fromX = along(blockedX, firstK + placeX.y / 4u * 32u) + placeX.y % 4u;
  let fromW = along(blockedWeight, firstK + placeW.y / 4u * 32u) + placeW.y % 4u;
  // From vector to vector of 32 rows on, so that addresses take few registers; what lies behind the last row or column is not stored.
  let stepX = 4u * params.inputStride;
  let stepW = 4u * params.channels;
  let first0 = firstVector(row0 + placeX.x) + fromX;
  let first1 = select(first0 + 1u * stepX, firstVector(row0 + 32u + placeX.x) + fromX, segmentedX);
  let first2 = select(first0 + 2u * stepX, firstVector(row0 + 64u + placeX.x) + fromX, segmentedX);
  let first3 = select(first0 + 3u * stepX, firstVector(row0 + 96u + placeX.x) + fromX, segmentedX);
  let firstT = select(first0 + (params.partRows - row0) * (params.inputStride / 8u), firstVector(params.partRows + placeX.x) + fromX, segmentedX);
  let firstW0 = weightVector(min(column0 + placeW.x, params.columns - 1u), params.channels) + fromW;
  let firstW1 = firstW0 + 1u * stepW;
  let firstW2 = firstW0 + 2u * stepW;
  let firstW3 = firstW0 + 3u * stepW;
  let firstW4 = firstW0 + 4u * stepW;
  {
    let x0 = x[first0];
    let x1 = x[first1];
    let x2 = x[first2];
    let x3 = x[first3];
    let w0 = weight[firstW0];
    let w1 = weight[firstW1];
    let w2 = weight[firstW2];
    let w3 = weight[firstW3];
    var w4: vec4<u32>;
    var t: vec4<u32>;
    if (fragmentColumns > 4u) { w4 = weight[firstW4]; }
    if (tail && thread < 64u) { t = x[firstT]; }
    tiles[putX + 0u * pitch] = x0;
    tiles[putX + 32u * pitch] = x1;
    tiles[putX + 64u * pitch] = x2;
    tiles[putX + 96u * pitch] = x3;
    tiles[putW + 0u * pitch] = w0;
    tiles[putW + 32u * pitch] = w1;
    tiles[putW + 64u * pitch] = w2;
    tiles[putW + 96u * pitch] = w3;
    if (fragmentColumns > 4u) { tiles[putW + 128u * pitch] = w4; }
    if (tail && thread < 64u) { tiles[sliceT + putX] = t; }
  }
  workgroupBarrier();
  // Loaded and stored in the same turn: a value carried into the next turn is copied at the end of this one, and the copy waits for it.
  let turns = (endK - firstK) / 64u;
  for (var turn = 1u; turn <= turns; turn++) {
    let nextK = min(turn, turns - 1u) * 64u;
    let nextX = along(blockedX, nextK);
    let nextW = along(blockedWeight, nextK);
    let x0 = x[first0 + nextX];
    let x1 = x[first1 + nextX];
    let x2 = x[first2 + nextX];
    let x3 = x[first3 + nextX];
    let w0 = weight[firstW0 + nextW];
    let w1 = weight[firstW1 + nextW];
    let w2 = weight[firstW2 + nextW];
    let w3 = weight[firstW3 + nextW];
    var w4: vec4<u32>;
    var t: vec4<u32>;
    if (fragmentColumns > 4u) { w4 = weight[firstW4 + nextW]; }
    if (tail && thread < 64u) { t = x[firstT + nextX]; }
    {
      const deep = 0u;
// include "dense/matmulSlice"
      if (tail) {
        let leftTail = subgroupMatrixLoad<Left, row_major>(&tiles, atTW + deep, pitch);
        let rightTail = subgroupMatrixLoad<TailRight, col_major>(&tiles, atT + deep, pitch);
        sumTail = subgroupMatrixMultiplyAccumulate(leftTail, rightTail, sumTail);
      }
    }
    {
      const deep = 2u;
// include "dense/matmulSlice"
      if (tail) {
        let leftTail = subgroupMatrixLoad<Left, row_major>(&tiles, atTW + deep, pitch);
        let rightTail = subgroupMatrixLoad<TailRight, col_major>(&tiles, atT + deep, pitch);
        sumTail = subgroupMatrixMultiplyAccumulate(leftTail, rightTail, sumTail);
      }
    }
    workgroupBarrier();
    tiles[putX + 0u * pitch] = x0;
    tiles[putX + 32u * pitch] = x1;
    tiles[putX + 64u * pitch] = x2;
    tiles[putX + 96u * pitch] = x3;
    tiles[putW + 0u * pitch] = w0;
    tiles[putW + 32u * pitch] = w1;
    tiles[putW + 64u * pitch] = w2;
    tiles[putW + 96u * pitch] = w3;
    if (fragmentColumns > 4u) { tiles[putW + 128u * pitch] = w4; }
    if (tail && thread < 64u) { tiles[sliceT + putX] = t; }
    workgroupBarrier();
  }
  let strip = subgroup * 16u * stripPitch;
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum00, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum01, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum02, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum03, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum04, stripPitch); }
  workgroupBarrier();
  finishStrips(thread, row0 + 0u, column0, part);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum10, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum11, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum12, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum13, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum14, stripPitch); }
  workgroupBarrier();
  finishStrips(thread, row0 + 16u, column0, part);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum20, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum21, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum22, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum23, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum24, stripPitch); }
  workgroupBarrier();
  finishStrips(thread, row0 + 32u, column0, part);
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tiles, strip + 0u, sum30, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 4u, sum31, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 8u, sum32, stripPitch);
  subgroupMatrixStore<row_major>(&tiles, strip + 12u, sum33, stripPitch);
  if (fragmentColumns > 4u) { subgroupMatrixStore<row_major>(&tiles, strip + 16u, sum34, stripPitch); }
  workgroupBarrier();
  finishStrips(thread, row0 + 48u, column0, part);
  workgroupBarrier();
  if (!tail) { return; }
  subgroupMatrixStore<col_major>(&tiles, strip, sumTail, stripPitch);
  workgroupBarrier();
  // Of a block's 8 rows x 4 vectors each lane of the first half of the subgroups finishes one.
  if (half == 0u && tailBlock < 2u * fragmentColumns) {
    let vector = strip + lane / 4u * stripPitch + lane % 4u;
    let place = Place(params.partRows + lane / 4u, column0 + tailBlock * 16u + lane % 4u * 4u, vector);
    store(finishedAt(place), place.m, place.n, part);
  }
}

// The same function, bindings and Params as matmul.wgsl, on subgroup matrices: f16 in, f32 sums.
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

// include "dense/matmulMatrices"
// include "dense/matmulEpilogue"
// include "dense/matmulStrips"

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32,
        @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x + group.y * groups.x;
  let row0 = tile / params.columnTiles * 128u;
  let column0 = tile % params.columnTiles * (32u * fragmentColumns);
  if (row0 >= params.rows) { return; }
  let inner = params.taps * params.channels;
  let firstK = 0u;
  let endK = inner;
// include "dense/matmulSums"
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
  finishStrip(old00, old01, old02, old03, old04, lane, strip, m + 0u, n);
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
  finishStrip(old10, old11, old12, old13, old14, lane, strip, m + 16u, n);
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
  finishStrip(old20, old21, old22, old23, old24, lane, strip, m + 32u, n);
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
  finishStrip(old30, old31, old32, old33, old34, lane, strip, m + 48u, n);
}

// v[6 i + j, tile, c] = s[i] s[j] (B^T d B)[i, j], d = the tile's 6 x 6 pixels of f(x), zeros outside of the image. F(4x4, 3x3) of Lavin and Gray
// 2016 at the points 0, 3/4, -3/4, 3/2, -3/2 and infinity, whose error in f16 is half of what 0, 1, -1, 2, -2 give; tiles lie 4 pixels
// apart, the first begins at (-1, -1). Rows of B^T are the coefficients of x^0 .. x^5 in (x^2 - a^2)(x^2 - b^2) for 0, x (x + p) (x^2 - q^2) for
// p = a, -a with q = b and p = b, -b with q = a, and x (x^2 - a^2)(x^2 - b^2), where a = 3/4 and b = 3/2. s = 1/8, for +-b 1/4, keeps v within the
// largest f(x), so that f16 holds it. f: group norm and SiLU, see winogradPixel.wgsl.
//
// A thread: two channels (six rows of six values of four would not fit its registers) of `strip` tiles below each other, whose common rows
// are read once; neighbouring threads take neighbouring channels. The next tile's pixels are read before this one's results are stored: drivers do
// not move loads above stores (on an H200 155 -> 146 us, 20 x 96 x 96 x 320). Sums in f32. docs/memory-bound.md has what else was tried.
alias Input = f32;
alias Output = f32;
alias Values = vec2f;
// include "dense/winogradInputParams"
@group(0) @binding(0) var<storage, read> x: array<vec2<Input>>;              // [images, height, width, channels]
@group(0) @binding(1) var<storage, read> factors: array<vec2f>;              // [all images, 2, channels]
@group(0) @binding(2) var<storage, read> bias: array<vec2f>;                 // [channels]
@group(0) @binding(3) var<storage, read_write> v: array<vec2<Output>>;       // [36, batchRows, channels]
@group(0) @binding(4) var<uniform> params: Params;

struct Row { a: Values, b: Values, c: Values, d: Values, e: Values, f: Values }

// include "dense/winogradPixel"
// include "dense/blocks"

// s B^T p.
fn transformed(p: Row) -> Row {
  let evenA = 0.125 * (p.e - 2.25 * p.c);
  let oddA = 0.09375 * (p.d - 2.25 * p.b);
  let evenB = 0.25 * (p.e - 0.5625 * p.c);
  let oddB = 0.375 * (p.d - 0.5625 * p.b);
  return Row(
    0.125 * (1.265625 * p.a - 2.8125 * p.c + p.e),
    evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB,
    0.125 * (1.265625 * p.b - 2.8125 * p.d + p.f));
}

// A row of pixels as it is stored.
struct ReadRow { a: vec2<Input>, b: vec2<Input>, c: vec2<Input>, d: vec2<Input>, e: vec2<Input>, f: vec2<Input> }

fn readRow(image: u32, row: i32, column: i32, vector: u32) -> ReadRow {
  let base = (image * params.height + u32(clamp(row, 0, i32(params.height) - 1))) * params.width * params.vectors + vector;
  return ReadRow(
    x[placeOf(base, column)], x[placeOf(base, column + 1)], x[placeOf(base, column + 2)],
    x[placeOf(base, column + 3)], x[placeOf(base, column + 4)], x[placeOf(base, column + 5)]);
}

// One row of f(x) times B.
fn rowOf(read: ReadRow, row: i32, column: i32, norm: Norm) -> Row {
  let inside = row >= 0 && row < i32(params.height);
  return transformed(Row(
    valueOf(Values(read.a), inside, column, norm), valueOf(Values(read.b), inside, column + 1, norm),
    valueOf(Values(read.c), inside, column + 2, norm), valueOf(Values(read.d), inside, column + 3, norm),
    valueOf(Values(read.e), inside, column + 4, norm), valueOf(Values(read.f), inside, column + 5, norm)));
}

// Column j of v: B^T times the column of the six rows.
fn store(at: u32, column: Row) {
  let value = transformed(column);
  let six = 6u * params.batchRows * params.vectors;
  v[at] = vec2<Output>(value.a);
  v[at + six] = vec2<Output>(value.b);
  v[at + 2u * six] = vec2<Output>(value.c);
  v[at + 3u * six] = vec2<Output>(value.d);
  v[at + 4u * six] = vec2<Output>(value.e);
  v[at + 5u * six] = vec2<Output>(value.f);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.threads) { return; }
  let vector = thread % params.vectors;
  let tileX = thread / params.vectors % params.tilesX;
  let part = thread / params.vectors / params.tilesX;
  let image = part / params.strips;
  let firstTile = part % params.strips * params.strip;
  let norm = normOf(image, vector);
  let column = i32(tileX) * 4 - 1;
  let top = i32(firstTile) * 4 - 1;
  var r0 = rowOf(readRow(image, top, column, vector), top, column, norm);
  var r1 = rowOf(readRow(image, top + 1, column, vector), top + 1, column, norm);
  var read2 = readRow(image, top + 2, column, vector);
  var read3 = readRow(image, top + 3, column, vector);
  var read4 = readRow(image, top + 4, column, vector);
  var read5 = readRow(image, top + 5, column, vector);
  let batch = params.batchRows * params.vectors;
  let lastTile = min(params.tilesY, firstTile + params.strip);
  for (var tileY = firstTile; tileY < lastTile; tileY++) {
    let row = i32(tileY) * 4 + 1;
    let r2 = rowOf(read2, row, column, norm);
    let r3 = rowOf(read3, row + 1, column, norm);
    let r4 = rowOf(read4, row + 2, column, norm);
    let r5 = rowOf(read5, row + 3, column, norm);
    if (tileY + 1u < lastTile) {
      read2 = readRow(image, row + 4, column, vector);
      read3 = readRow(image, row + 5, column, vector);
      read4 = readRow(image, row + 6, column, vector);
      read5 = readRow(image, row + 7, column, vector);
    }
    let at = placeInBlocks(blockedV, (image * params.tilesY + tileY) * params.tilesX + tileX, vector, params.vectors, 16u);
    store(at, Row(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
    store(at + batch, Row(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
    store(at + 2u * batch, Row(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
    store(at + 3u * batch, Row(r0.d, r1.d, r2.d, r3.d, r4.d, r5.d));
    store(at + 4u * batch, Row(r0.e, r1.e, r2.e, r3.e, r4.e, r5.e));
    store(at + 5u * batch, Row(r0.f, r1.f, r2.f, r3.f, r4.f, r5.f));
    r0 = r4;
    r1 = r5;
  }
}

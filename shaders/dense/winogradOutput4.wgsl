// y[4 x 4 pixels of a tile, n] = activation(A^T m[:, tile, n] A + bias[n] + rowBias[image, n]) + residual: the end of F(4x4, 3x3), see
// winogradInput4.wgsl. Rows of A^T are p^0 .. p^3 at its points p, infinity counting in the last, times 1 / (s t) of what is multiplied there:
// 8, for +-b 2. A thread: a vector of columns of one tile; sums in f32. On an H200 (20 x 96 x 96 pixels, 320 columns, residual; columns x threads
// a workgroup: microseconds): 2 x 64: 129, 2 x 128: 130, 2 x 256: 141, 4 x 64: 142, 4 x 256: 150; residuals read between the stores 165 to 186.

// include "dense/winogradStore"

struct Row { a: Values, b: Values, c: Values, d: Values }

// A^T of what stands at 0, at the sums and differences of a, -a and of b, -b, and at infinity.
fn fourOf(zero: Values, evenA: Values, oddA: Values, evenB: Values, oddB: Values, last: Values) -> Row {
  return Row(
    8.0 * (zero + evenA) + 2.0 * evenB,
    6.0 * oddA + 3.0 * oddB,
    4.5 * (evenA + evenB),
    3.375 * oddA + 6.75 * oddB + 8.0 * last);
}

// One row of the 6 x 6 products times A.
fn productRow(at: u32) -> Row {
  let batch = params.batchRows * params.vectors;
  let p1 = Values(m[at + batch]);
  let p2 = Values(m[at + 2u * batch]);
  let p3 = Values(m[at + 3u * batch]);
  let p4 = Values(m[at + 4u * batch]);
  return fourOf(Values(m[at]), p1 + p2, p1 - p2, p3 + p4, p3 - p4, Values(m[at + 5u * batch]));
}

fn sum(x: Row, y: Row) -> Row { return Row(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d); }

fn difference(x: Row, y: Row) -> Row { return Row(x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d); }

struct Pixels { a: Residual, b: Residual, c: Residual, d: Residual }

fn residualColumn(image: u32, row: u32, column: u32, vector: u32) -> Pixels {
  return Pixels(
    residualOf(image, row, column, vector), residualOf(image, row + 1u, column, vector),
    residualOf(image, row + 2u, column, vector), residualOf(image, row + 3u, column, vector));
}

fn storeColumn(image: u32, row: u32, column: u32, vector: u32, values: Row, added: Values, residuals: Pixels) {
  store(image, row, column, vector, values.a + added, residuals.a);
  store(image, row + 1u, column, vector, values.b + added, residuals.b);
  store(image, row + 2u, column, vector, values.c + added, residuals.c);
  store(image, row + 3u, column, vector, values.d + added, residuals.d);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.threads) { return; }
  let vector = thread % params.vectors;
  let tile = thread / params.vectors;
  let tileX = tile % params.tilesX;
  let tileY = tile / params.tilesX % params.tilesY;
  let image = tile / params.tilesX / params.tilesY;
  let six = 6u * params.batchRows * params.vectors;
  let first = productRow(thread);
  let plusA = productRow(thread + six);
  let minusA = productRow(thread + 2u * six);
  let evenA = sum(plusA, minusA);
  let oddA = difference(plusA, minusA);
  let plusB = productRow(thread + 3u * six);
  let minusB = productRow(thread + 4u * six);
  let evenB = sum(plusB, minusB);
  let oddB = difference(plusB, minusB);
  let last = productRow(thread + 5u * six);
  let row = 4u * tileY;
  let column = 4u * tileX;
  let residual0 = residualColumn(image, row, column, vector);
  let residual1 = residualColumn(image, row, column + 1u, vector);
  let residual2 = residualColumn(image, row, column + 2u, vector);
  let residual3 = residualColumn(image, row, column + 3u, vector);
  let added = addedTo(image, vector);
  storeColumn(image, row, column, vector, fourOf(first.a, evenA.a, oddA.a, evenB.a, oddB.a, last.a), added, residual0);
  storeColumn(image, row, column + 1u, vector, fourOf(first.b, evenA.b, oddA.b, evenB.b, oddB.b, last.b), added, residual1);
  storeColumn(image, row, column + 2u, vector, fourOf(first.c, evenA.c, oddA.c, evenB.c, oddB.c, last.c), added, residual2);
  storeColumn(image, row, column + 3u, vector, fourOf(first.d, evenA.d, oddA.d, evenB.d, oddB.d, last.d), added, residual3);
}

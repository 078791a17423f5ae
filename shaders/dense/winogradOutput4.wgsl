// y[4 x 4 pixels of a tile, n] = activation(A^T m[:, tile, n] A + bias[n] + rowBias[image, n]) + residual: the end of F(4x4, 3x3), see
// winogradInput4.wgsl. Rows of A^T are p^0 .. p^3 at its points p, infinity counting in the last, times 1 / (s t) of what is multiplied there:
// 8, for +-b 2. A thread: four columns of one tile; sums in f32.

// include "dense/winogradStore"

struct Row { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// A^T of what stands at 0, at the sums and differences of a, -a and of b, -b, and at infinity.
fn fourOf(zero: vec4f, evenA: vec4f, oddA: vec4f, evenB: vec4f, oddB: vec4f, last: vec4f) -> Row {
  return Row(
    8.0 * (zero + evenA) + 2.0 * evenB,
    6.0 * oddA + 3.0 * oddB,
    4.5 * (evenA + evenB),
    3.375 * oddA + 6.75 * oddB + 8.0 * last);
}

// One row of the 6 x 6 products times A.
fn productRow(at: u32) -> Row {
  let batch = params.batchRows * params.vectors;
  let p1 = vec4f(m[at + batch]);
  let p2 = vec4f(m[at + 2u * batch]);
  let p3 = vec4f(m[at + 3u * batch]);
  let p4 = vec4f(m[at + 4u * batch]);
  return fourOf(vec4f(m[at]), p1 + p2, p1 - p2, p3 + p4, p3 - p4, vec4f(m[at + 5u * batch]));
}

fn sum(x: Row, y: Row) -> Row { return Row(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d); }

fn difference(x: Row, y: Row) -> Row { return Row(x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d); }

fn storeColumn(image: u32, row: u32, column: u32, vector: u32, values: Row, added: vec4f) {
  store(image, row, column, vector, values.a + added);
  store(image, row + 1u, column, vector, values.b + added);
  store(image, row + 2u, column, vector, values.c + added);
  store(image, row + 3u, column, vector, values.d + added);
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
  let added = addedTo(image, vector);
  let row = 4u * tileY;
  let column = 4u * tileX;
  storeColumn(image, row, column, vector, fourOf(first.a, evenA.a, oddA.a, evenB.a, oddB.a, last.a), added);
  storeColumn(image, row, column + 1u, vector, fourOf(first.b, evenA.b, oddA.b, evenB.b, oddB.b, last.b), added);
  storeColumn(image, row, column + 2u, vector, fourOf(first.c, evenA.c, oddA.c, evenB.c, oddB.c, last.c), added);
  storeColumn(image, row, column + 3u, vector, fourOf(first.d, evenA.d, oddA.d, evenB.d, oddB.d, last.d), added);
}

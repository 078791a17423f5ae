// y[2 x 2 pixels of a tile, n] = activation(4 A^T m[:, tile, n] A + bias[n] + rowBias[image, n]) + residual; rows of A^T are (1 1 1 0), (0 1 -1 -1):
// the end of F(2x2, 3x3), see winogradInput.wgsl. A thread: a vector of columns of one tile; sums in f32.

// include "dense/winogradStore"

struct Pair { a: Values, b: Values }

// One row of the 4 x 4 products times A.
fn productRow(at: u32) -> Pair {
  let batch = params.batchRows * params.vectors;
  let p1 = Values(m[at + batch]);
  let p2 = Values(m[at + 2u * batch]);
  return Pair(Values(m[at]) + p1 + p2, p1 - p2 - Values(m[at + 3u * batch]));
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
  let four = 4u * params.batchRows * params.vectors;
  let r0 = productRow(thread);
  let r1 = productRow(thread + four);
  let r2 = productRow(thread + 2u * four);
  let r3 = productRow(thread + 3u * four);
  let row = tileY * 2u;
  let column = tileX * 2u;
  let residual00 = residualOf(image, row, column, vector);
  let residual01 = residualOf(image, row, column + 1u, vector);
  let residual10 = residualOf(image, row + 1u, column, vector);
  let residual11 = residualOf(image, row + 1u, column + 1u, vector);
  let added = addedTo(image, vector);
  store(image, row, column, vector, 4.0 * (r0.a + r1.a + r2.a) + added, residual00);
  store(image, row, column + 1u, vector, 4.0 * (r0.b + r1.b + r2.b) + added, residual01);
  store(image, row + 1u, column, vector, 4.0 * (r1.a - r2.a - r3.a) + added, residual10);
  store(image, row + 1u, column + 1u, vector, 4.0 * (r1.b - r2.b - r3.b) + added, residual11);
}

// The end of matmulFewTiles.wgsl: sums pass through strips of workgroup memory, where those of both halves of the channels meet.

// What four sums of a row become. Rows behind the last are computed as the last one, without a branch, and not stored.
fn finished(sum: vec4f, m: u32, n: u32) -> vec4<Output> {
  if (inParts) { return vec4<Output>(sum); }
  let row = min(m, params.rows - 1u);
  var v = gated4(activate(biased(sum, biasAt(n), row, n)), row, n);
  if (hasResidual) { v += vec4f(residualAt(row, n)); }
  if (accumulate) { v += vec4f(y[indexOfY(row, n)]); }
  return vec4<Output>(v);
}

fn store(v: vec4<Output>, m: u32, n: u32, part: u32) {
  if (m >= params.rows || n >= params.columns) { return; }
  if (inParts) { y[((part * params.rows + m) * params.columns + n) / 4u] = v; } else { y[indexOfY(m, n)] = v; }
}

// Of the strips from a row on, 16 rows of the upper and 16 of the lower subgroups: row and column of a thread's vector `index`, and where its sums lie in
// `tiles`.
struct Place { m: u32, n: u32, vector: u32 }

fn placeOf(index: u32, thread: u32, row0: u32, column0: u32) -> Place {
  let at = index * 256u + thread;
  let row = at / (8u * fragmentColumns);
  let column = at % (8u * fragmentColumns);
  let subgroup = row / 16u * 2u + column / (4u * fragmentColumns);
  let vector = (subgroup * 16u + row % 16u) * stripPitch + column % (4u * fragmentColumns);
  return Place(row0 + row / 16u * 64u + row % 16u, column0 + column * 4u, vector);
}

// Both sums of an element.
fn finishedAt(place: Place) -> vec4<Output> {
  return finished(bitcast<vec4f>(tiles[place.vector]) + bitcast<vec4f>(tiles[place.vector + 64u * stripPitch]), place.m, place.n);
}

// Drivers do not move loads above stores: all are finished before the first is stored.
fn finishStrips(thread: u32, row0: u32, column0: u32, part: u32) {
  let place0 = placeOf(0u, thread, row0, column0);
  let place1 = placeOf(1u, thread, row0, column0);
  let place2 = placeOf(2u, thread, row0, column0);
  let place3 = placeOf(3u, thread, row0, column0);
  let place4 = placeOf(4u, thread, row0, column0);
  let v0 = finishedAt(place0);
  let v1 = finishedAt(place1);
  let v2 = finishedAt(place2);
  let v3 = finishedAt(place3);
  var v4: vec4<Output>;
  if (fragmentColumns > 4u) { v4 = finishedAt(place4); }
  store(v0, place0.m, place0.n, part);
  store(v1, place1.m, place1.n, part);
  store(v2, place2.m, place2.n, part);
  store(v3, place3.m, place3.n, part);
  if (fragmentColumns > 4u) { store(v4, place4.m, place4.n, part); }
}

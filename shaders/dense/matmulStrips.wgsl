// The end of matmulSubgroupMatrix.wgsl: matrix elements are out of WGSL's reach, so that sums pass through strips of workgroup memory, 16
// rows of a subgroup at a time. What is added to a strip is fetched while the one before is finished.

// What is added last to two vectors of sums (gated: to the one that they become), as it lies in memory.
struct Addends { residual0: vec4<Residual>, residual1: vec4<Residual>, y0: vec4<Output>, y1: vec4<Output> }
struct Place { m: u32, n: u32, vector: u32 } // row, column of the sums, vector in the strip

// Of the 16 rows of a strip, row-major over the lanes: plain, vector `index` of 32; gated, pair `index` of 32.
fn placeOf(index: u32, lane: u32, strip: u32, m: u32, n: u32) -> Place {
  let width = select(4u * fragmentColumns, 2u * fragmentColumns, gated);
  let at = index * 32u + lane;
  let column = at % width * select(1u, 2u, gated);
  return Place(m + at / width, n + column * 4u, strip + at / width * (4u * fragmentColumns + 2u) + column);
}

fn addendsAt(unit: u32, lane: u32, m: u32, n: u32) -> Addends {
  var a: Addends;
  if (!hasResidual && !accumulate) { return a; }
  if (gated) {
    let place = placeOf(unit, lane, 0u, m, n);
    let row = min(place.m, params.rows - 1u);
    if (hasResidual) { a.residual0 = residualAt(row, place.n / 2u); }
    if (accumulate) { a.y0 = y[indexOfY(row, place.n / 2u)]; }
    return a;
  }
  let first = placeOf(2u * unit, lane, 0u, m, n);
  let second = placeOf(2u * unit + 1u, lane, 0u, m, n);
  let row0 = min(first.m, params.rows - 1u);
  let row1 = min(second.m, params.rows - 1u);
  if (hasResidual) { a.residual0 = residualAt(row0, first.n); a.residual1 = residualAt(row1, second.n); }
  if (accumulate) { a.y0 = y[indexOfY(row0, first.n)]; a.y1 = y[indexOfY(row1, second.n)]; }
  return a;
}

// Two vectors of a strip's results; gated, one.
struct Results { v0: vec4<Output>, v1: vec4<Output> }

// What two vectors of sums become, gated one: bias, activation, gate, what is added. Rows behind the last are computed as the last one, without a
// branch, so that latencies overlap, and not stored.
fn finished(a: Addends, unit: u32, lane: u32, strip: u32, m: u32, n: u32) -> Results {
  if (gated) {
    let place = placeOf(unit, lane, strip, m, n);
    let row = min(place.m, params.rows - 1u);
    let even = biased(bitcast<vec4f>(tiles[place.vector]), biasAt(place.n), row, place.n);
    let odd = biased(bitcast<vec4f>(tiles[place.vector + 1u]), biasAt(place.n + 4u), row, place.n + 4u);
    let v = gated4(vec4f(even.xz, odd.xz) * activate(vec4f(even.yw, odd.yw)), row, place.n / 2u);
    return Results(vec4<Output>(v + vec4f(a.residual0) + vec4f(a.y0)), vec4<Output>());
  }
  let first = placeOf(2u * unit, lane, strip, m, n);
  let second = placeOf(2u * unit + 1u, lane, strip, m, n);
  let row0 = min(first.m, params.rows - 1u);
  let row1 = min(second.m, params.rows - 1u);
  let v0 = gated4(activate(biased(bitcast<vec4f>(tiles[first.vector]), biasAt(first.n), row0, first.n)), row0, first.n);
  let v1 = gated4(activate(biased(bitcast<vec4f>(tiles[second.vector]), biasAt(second.n), row1, second.n)), row1, second.n);
  return Results(vec4<Output>(v0 + vec4f(a.residual0) + vec4f(a.y0)), vec4<Output>(v1 + vec4f(a.residual1) + vec4f(a.y1)));
}

fn store(v: vec4<Output>, place: Place) {
  if (place.m >= params.rows || place.n >= params.columns) { return; }
  y[indexOfY(place.m, select(place.n, place.n / 2u, gated))] = v;
}

fn storeResults(r: Results, unit: u32, lane: u32, m: u32, n: u32) {
  if (gated) {
    store(r.v0, placeOf(unit, lane, 0u, m, n));
    return;
  }
  store(r.v0, placeOf(2u * unit, lane, 0u, m, n));
  store(r.v1, placeOf(2u * unit + 1u, lane, 0u, m, n));
}

// Finishes a strip. Drivers do not move loads (of biases and gates) above stores: the first store is behind all of them, but for what
// accumulates or is gated, whose registers do not suffice (docs/matmul.md).
fn finishStrip(a0: Addends, a1: Addends, a2: Addends, a3: Addends, a4: Addends, lane: u32, strip: u32, m: u32, n: u32) {
  let r0 = finished(a0, 0u, lane, strip, m, n);
  if (accumulate || gated) { storeResults(r0, 0u, lane, m, n); }
  let r1 = finished(a1, 1u, lane, strip, m, n);
  if (accumulate || gated) { storeResults(r1, 1u, lane, m, n); }
  let r2 = finished(a2, 2u, lane, strip, m, n);
  if (accumulate || gated) { storeResults(r2, 2u, lane, m, n); }
  let r3 = finished(a3, 3u, lane, strip, m, n);
  if (accumulate || gated) { storeResults(r3, 3u, lane, m, n); }
  var r4: Results;
  if (fragmentColumns > 4u) { r4 = finished(a4, 4u, lane, strip, m, n); }
  if (!(accumulate || gated)) {
    storeResults(r0, 0u, lane, m, n);
    storeResults(r1, 1u, lane, m, n);
    storeResults(r2, 2u, lane, m, n);
    storeResults(r3, 3u, lane, m, n);
  }
  if (fragmentColumns > 4u) { storeResults(r4, 4u, lane, m, n); }
}

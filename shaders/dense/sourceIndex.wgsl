// sum_a index_a * stride_a, where index_a are the coordinates of an element in Params' extents: where it lies before a permutation of
// axes. rank: axes used, the last ones of the eight.
fn sourceIndex(index: u32, rank: u32) -> u32 {
  var rest = index;
  var source = 0u;
  for (var a = 7u; a >= 8u - rank; a--) {
    let high = a >= 4u;
    let extent = select(params.extent0[a % 4u], params.extent1[a % 4u], high);
    let stride = select(params.stride0[a % 4u], params.stride1[a % 4u], high);
    let outer = rest / extent;
    source += (rest - outer * extent) * stride;
    rest = outer;
    if (a == 0u) { break; }
  }
  return source;
}

// Included behind declarations of `values`, `order` and params.count: what a prefix sum adds up, and how. Sums saturate at 2^32 - 1
// (saturating addition is associative).
fn add(a: u32, b: u32) -> u32 {
  let sum = a + b;
  return select(sum, 0xffffffffu, sum < a);
}

fn valueAt(index: u32) -> u32 {
  if (index >= params.count) { return 0u; }
  if (ofBits) { return countOneBits(values[index]); }
  if (gathered) { return values[order[index]]; }
  return values[index];
}

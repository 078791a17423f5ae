// Saturates at 2^32 - 1; such an addition is associative.
fn add(a: u32, b: u32) -> u32 {
  let sum = a + b;
  return select(sum, 0xffffffffu, sum < a);
}

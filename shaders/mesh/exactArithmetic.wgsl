// Arithmetic as IEEE 754 rounds it, the same on every GPU: WGSL lets compilers join a product with a sum into one operation, and quotients
// and roots err by 2.5 units in the last place. For normal numbers; what is below them counts as 0. Whoever includes this has `params.zero`.

// What was computed, as it was rounded: compilers do not know that zero is 0, and so join nothing over it.
fn rounded(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ params.zero); }

fn upperBits(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }

// a b + c rounded once, a b and c not negative. Halves of 12 bits have exact products, joined with sums or not.
fn fusedSum(a: f32, b: f32, c: f32) -> f32 {
  let product = rounded(a * b);
  let aLow = a - upperBits(a);
  let bLow = b - upperBits(b);
  let productRest = ((upperBits(a) * upperBits(b) - product) + upperBits(a) * bLow + aLow * upperBits(b)) + aLow * bLow;
  let sum = rounded(product + c);
  let sumRest = min(product, c) - rounded(sum - max(product, c));
  return sum + (sumRest + productRest);
}

fn biasedExponent(x: f32) -> i32 { return i32((bitcast<u32>(x) >> 23u) & 0xffu); }

fn significand(x: f32) -> u32 { return (bitcast<u32>(x) & 0x7fffffu) | 0x800000u; }

// significand 2^23 to 2^24
fn assembled(sign: u32, exponent: i32, significand: u32) -> f32 {
  if (exponent <= 0) { return 0.0; }
  return bitcast<f32>(sign | ((u32(exponent - 1) << 23u) + significand));
}

// The GPU's quotient is a few units off: whole numbers say by how much. What is left is small, so its 32 lower bits are all of it.
fn quotient(a: f32, b: f32) -> f32 {
  if (biasedExponent(a) == 0) { return 0.0; }
  let dividend = significand(a);
  let divisor = significand(b);
  let shift = select(24u, 23u, dividend >= divisor);
  var whole = i32(f32(dividend) / f32(divisor) * f32(1u << shift));
  var rest = bitcast<i32>((dividend << shift) - u32(whole) * divisor);
  let off = i32(floor(f32(rest) / f32(divisor)));
  whole += off;
  rest -= off * i32(divisor);
  if (rest < 0) { whole -= 1; rest += i32(divisor); }
  if (rest >= i32(divisor)) { whole += 1; rest -= i32(divisor); }
  if (2 * rest > i32(divisor)) { whole += 1; }
  let sign = (bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u;
  return assembled(sign, biasedExponent(a) - biasedExponent(b) - i32(shift) + 150, u32(whole));
}

fn squareRoot(a: f32) -> f32 {
  let exponent = biasedExponent(a);
  if (exponent == 0) { return 0.0; }
  let shift = 24u - u32(exponent & 1);
  var whole = i32(sqrt(f32(significand(a)) * f32(1u << shift)));
  var rest = bitcast<i32>((significand(a) << shift) - u32(whole * whole));
  let off = i32(floor(f32(rest) / f32(2 * whole)));
  rest -= off * (2 * whole + off);
  whole += off;
  if (rest < 0) { whole -= 1; rest += 2 * whole + 1; }
  if (rest > 2 * whole) { rest -= 2 * whole + 1; whole += 1; }
  if (rest > whole) { whole += 1; }
  return assembled(0u, (exponent - 150 - i32(shift)) / 2 + 150, u32(whole));
}

// Bits of the float16 nearest to a finite f32 up to 65504, ties to even, by integers: what a device does with conversions and subnormal
// numbers plays no part.
fn float16Bits(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude >= 0x38800000u) { return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u); }
  // Subnormal in float16: a whole number of 2^-24.
  let exponent = magnitude >> 23u;
  if (exponent < 101u) { return sign; }
  let shift = 126u - exponent;
  let mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  let rest = mantissa & ((1u << shift) - 1u);
  let tie = 1u << (shift - 1u);
  let whole = mantissa >> shift;
  return sign | (whole + select(0u, 1u, rest > tie || (rest == tie && (whole & 1u) == 1u)));
}

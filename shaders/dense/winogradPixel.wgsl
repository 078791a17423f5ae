// What the inputs of Winograd's convolutions read: f(x) at a pixel, the group norm before the convolution (x - factors[0]) * factors[1] + bias,
// and SiLU, where there is one; zeros outside of the image. Needs `Values`, 2 or 4 channels in f32.
struct Norm { mean: Values, scale: Values, offset: Values }

fn normOf(image: u32, vector: u32) -> Norm {
  if (!normalised) { return Norm(); }
  let at = (params.firstImage + image) * 2u * params.vectors + vector;
  return Norm(factors[at], factors[at + params.vectors], bias[vector]);
}

// Neighbouring loads without branches between them: outside, some pixel of the image is read and dropped.
fn placeOf(base: u32, column: i32) -> u32 { return base + u32(clamp(column, 0, i32(params.width) - 1)) * params.vectors; }

// f of what was read there.
fn valueOf(read: Values, inside: bool, column: i32, norm: Norm) -> Values {
  var value = read;
  if (normalised) { value = (value - norm.mean) * norm.scale + norm.offset; }
  if (silu) { value = value / (1.0 + exp(min(-value, Values(87.0)))); }
  return select(Values(), value, inside && column >= 0 && column < i32(params.width));
}

fn pixel(base: u32, inside: bool, column: i32, norm: Norm) -> Values { return valueOf(Values(x[placeOf(base, column)]), inside, column, norm); }

// Included behind declarations of params.resolution (r).

// Through exp, with the argument bounded: WGSL's tanh may overflow.
fn hyperbolicTangent(x: f32) -> f32 {
  return 1.0 - 2.0 / (exp(2.0 * clamp(x, -10.0, 10.0)) + 1.0);
}

// A coordinate of a vertex of the grid, v / r - 0.5 + (1 - 1e-8) / (2 r) * tanh(deform).
fn deformedCoordinate(v: u32, deform: f32) -> f32 {
  let scale = (1.0 - 1e-8) / f32(params.resolution * 2u);
  return f32(v) / f32(params.resolution) - 0.5 + scale * hyperbolicTangent(deform);
}

fn logistic(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}

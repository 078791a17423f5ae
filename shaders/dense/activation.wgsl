// For kernels with an `alias Values` (f32 or a vector of them) and the override `activation`.
// include "dense/gelu"

fn activate(v: Values) -> Values {
  switch activation {
    case 1u: { return v / (1.0 + exp(min(-v, Values(87.0)))); }
    case 2u: { return gelu(v); }
    case 3u: { return 0.5 * v * (1.0 + tanh(clamp(0.79788456080286536 * (v + 0.044715 * v * v * v), Values(-15.0), Values(15.0)))); }
    case 4u: { return max(v, Values()); }
    default: { return v; }
  }
}

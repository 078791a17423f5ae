// What matmul kernels do with four neighbouring sums, included after the declarations of matmul.wgsl in vectors of four:
// y = [y +] residual + gate * activation(sum + bias + rowBias). Rows m and columns n of the output (of the sums, where it says so).

alias Values = vec4f;
// include "dense/gelu"
// include "dense/segmentedRow"
// include "dense/blocks"

// GELU by tanh is v * sigmoid(2 u): compilers give tanh a branch for every element.
fn activate(v: vec4f) -> vec4f {
  switch activation {
    case 1u: { return v / (1.0 + exp(min(-v, vec4f(87.0)))); }
    case 2u: { return gelu(v); }
    case 3u: { return v / (1.0 + exp(min(-1.59576912160573072 * (v + 0.044715 * v * v * v), vec4f(87.0)))); }
    case 4u: { return max(v, vec4f()); }
    default: { return v; }
  }
}

fn biasAt(n: u32) -> vec4f { // column of the sums
  if (hasBias) { return bias[n / 4u]; }
  return vec4f();
}

fn biased(sum: vec4f, columnBias: vec4f, m: u32, n: u32) -> vec4f { // column of the sums
  if (!hasRowBias) { return sum + columnBias; }
  return sum + columnBias + rowBias[((params.firstRow + m) / params.rowBiasRows * params.rowBiasStride + params.rowBiasColumn + n) / 4u];
}

fn gated4(v: vec4f, m: u32, n: u32) -> vec4f {
  if (!hasGate) { return v; }
  return v * gate[((params.firstRow + m) / params.gateRows * params.gateStride + params.gateColumn + n) / 4u];
}

fn indexOfY(m: u32, n: u32) -> u32 {
  let row = segmentedRow(m, segmentedY, params.ySegment);
  if (blockedY) { return placeInBlocks(blockedY, row, n / 4u, params.outputStride / 4u, 8u); }
  return (row * params.outputStride + params.outputColumn + n) / 4u;
}

fn residualAt(m: u32, n: u32) -> vec4<Residual> {
  let width = select(params.columns, params.columns / 2u, gated);
  return residual[(segmentedRow(m, segmentedY, params.ySegment) * width + n) / 4u];
}

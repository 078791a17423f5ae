// What matmul kernels do with one sum, included after the declarations of matmul.wgsl:
// y = [y +] residual + gate * activation(sum + bias + rowBias). Row m and column n of the sums; `store` takes those of the output.
alias Values = f32;
// include "dense/activation"
// include "dense/segmentedRow"

fn preActivation(sum: f32, m: u32, n: u32) -> f32 {
  var v = sum;
  if (hasBias) { v += bias[n]; }
  if (hasRowBias) { v += rowBias[(params.firstRow + m) / params.rowBiasRows * params.rowBiasStride + params.rowBiasColumn + n]; }
  return v;
}

fn store(value: f32, m: u32, n: u32, width: u32) {
  var v = value;
  if (hasGate) { v *= gate[(params.firstRow + m) / params.gateRows * params.gateStride + params.gateColumn + n]; }
  let row = segmentedRow(m, segmentedY, params.ySegment);
  let at = row * params.outputStride + params.outputColumn + n;
  if (hasResidual) { v += f32(residual[row * width + n]); }
  if (accumulate) { v += f32(y[at]); }
  y[at] = Output(v);
}

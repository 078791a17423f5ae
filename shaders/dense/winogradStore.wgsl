// What the outputs of Winograd's convolutions write.
// include "dense/activation"

// One pixel of y, if it is inside of the image.
fn store(image: u32, row: u32, column: u32, vector: u32, value: vec4f) {
  if (row >= params.height || column >= params.width) { return; }
  let at = ((image * params.height + row) * params.width + column) * params.vectors + vector;
  var sum = activate(value);
  if (hasResidual) { sum += vec4f(residual[at]); }
  y[at] = vec4<Output>(sum);
}

// What a column of all pixels of an image gets before the activation.
fn addedTo(image: u32, vector: u32) -> vec4f {
  var added = vec4f();
  if (hasBias) { added += bias[vector]; }
  if (hasRowBias) {
    let at = (params.firstImage + image) / params.rowBiasImages * params.rowBiasStride + params.rowBiasColumn + vector * 4u;
    added += vec4f(rowBias[at], rowBias[at + 1u], rowBias[at + 2u], rowBias[at + 3u]);
  }
  return added;
}

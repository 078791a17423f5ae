// What the outputs of Winograd's convolutions read and write, included before everything of their own; a thread's columns are a vector.
alias Product = vec4f;
alias Output = vec4f;
alias Residual = vec4f;
alias Values = vec4f;
override lanes: u32 = 4;      // of Values
override workgroupSize: u32 = 64;
override activation: u32 = 0; // 0 none, 1 SiLU, 2 GELU (erf), 3 GELU (tanh), 4 ReLU
override hasBias: bool = false;
override hasRowBias: bool = false;
override hasResidual: bool = false;
struct Params {
  height: u32, width: u32, vectors: u32,     // of an image; columns / lanes
  tilesY: u32, tilesX: u32,
  threads: u32,
  batchRows: u32,
  firstImage: u32,
  rowBiasImages: u32, rowBiasStride: u32, rowBiasColumn: u32, // images that share one row of rowBias
}
@group(0) @binding(0) var<storage, read> m: array<Product>;                  // [planes, batchRows, columns]
@group(0) @binding(1) var<storage, read> bias: array<Values>;                // [columns]
@group(0) @binding(2) var<storage, read> rowBias: array<f32>;                // [rows, rowBiasStride]
@group(0) @binding(3) var<storage, read> residual: array<Residual>;          // [images, height, width, columns]
@group(0) @binding(4) var<storage, read_write> y: array<Output>;             // [images, height, width, columns]
@group(0) @binding(5) var<uniform> params: Params;

// include "dense/activation"

// What is added to a pixel of y. To be read before anything is stored: drivers do not move loads above stores, and between stores each would be
// waited for (on an H200 2,700 instead of 3,850 GB/s).
fn residualOf(image: u32, row: u32, column: u32, vector: u32) -> Residual {
  if (!hasResidual) { return Residual(); }
  return residual[((image * params.height + min(row, params.height - 1u)) * params.width + min(column, params.width - 1u)) * params.vectors + vector];
}

// One pixel of y, if it is inside of the image.
fn store(image: u32, row: u32, column: u32, vector: u32, value: Values, added: Residual) {
  if (row >= params.height || column >= params.width) { return; }
  var sum = activate(value);
  if (hasResidual) { sum += Values(added); }
  y[((image * params.height + row) * params.width + column) * params.vectors + vector] = Output(sum);
}

// What a column of all pixels of an image gets before the activation.
fn addedTo(image: u32, vector: u32) -> Values {
  var added = Values();
  if (hasBias) { added += bias[vector]; }
  if (hasRowBias) {
    let at = (params.firstImage + image) / params.rowBiasImages * params.rowBiasStride + params.rowBiasColumn + vector * lanes;
    for (var i = 0u; i < lanes; i++) { added[i] += rowBias[at + i]; }
  }
  return added;
}

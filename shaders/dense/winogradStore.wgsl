// What the outputs of Winograd's convolutions read and write, included before everything of their own.
alias Product = f32;
alias Output = f32;
alias Residual = f32;
alias Values = vec4f;
override workgroupSize: u32 = 64;
override activation: u32 = 0; // 0 none, 1 SiLU, 2 GELU (erf), 3 GELU (tanh), 4 ReLU
override hasBias: bool = false;
override hasRowBias: bool = false;
override hasResidual: bool = false;
struct Params {
  height: u32, width: u32, vectors: u32,     // of an image; columns / 4
  tilesY: u32, tilesX: u32,
  threads: u32,
  batchRows: u32,
  firstImage: u32,
  rowBiasImages: u32, rowBiasStride: u32, rowBiasColumn: u32, // images that share one row of rowBias
}
@group(0) @binding(0) var<storage, read> m: array<vec4<Product>>;            // [planes, batchRows, columns]
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;                 // [columns]
@group(0) @binding(2) var<storage, read> rowBias: array<f32>;                // [rows, rowBiasStride]
@group(0) @binding(3) var<storage, read> residual: array<vec4<Residual>>;    // [images, height, width, columns]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<Output>>;       // [images, height, width, columns]
@group(0) @binding(5) var<uniform> params: Params;

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

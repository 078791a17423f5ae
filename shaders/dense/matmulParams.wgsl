// What the host says to every matmul kernel (matmul.wgsl and its variants), included between their own overrides and their bindings.
override gathered: bool = false;
override blockedX: bool = false; // x lies in blocks (blocks.wgsl)
override blockedWeight: bool = false;
override blockedY: bool = false; // of kernels with matmulEpilogue.wgsl
override activation: u32 = 0; // 0 none, 1 SiLU, 2 GELU (erf), 3 GELU (tanh), 4 ReLU
override hasBias: bool = false;
override hasRowBias: bool = false;
override hasGate: bool = false;
override hasResidual: bool = false;
override accumulate: bool = false; // y += instead of y =
override segmentedX: bool = false;
override segmentedY: bool = false;
struct Params {
  rows: u32, columns: u32, channels: u32, taps: u32,
  firstRow: u32,                              // of this window, for rowBias and gate
  inputStride: u32, inputColumn: u32,         // elements between rows of x, first column read
  outputStride: u32, outputColumn: u32,
  imageRowsIn: u32, imageRowsOut: u32,
  rowBiasRows: u32, rowBiasStride: u32, rowBiasColumn: u32,   // rows of y that share one row of rowBias
  gateRows: u32, gateStride: u32, gateColumn: u32,
  columnTiles: u32,
  weightRows: u32,                            // rows of x for each of several weights, whole tiles
  parts: u32, partRows: u32,                  // of sums that matmulPartsSum.wgsl adds up; rows in tiles
  normEps: f32,                               // of the norm beside the product (matmulPartsNorm.wgsl)
  xSegment: vec3u, ySegment: vec3u,           // first, count, stride
}

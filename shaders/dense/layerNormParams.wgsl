// What the host says to layerNorm.wgsl and layerNormVectors.wgsl, included between their own overrides and their bindings.
override affine: bool = false;
override modulated: bool = false;
override silu: bool = false;
override segmented: bool = false;
struct Params {
  rows: u32, columns: u32,
  eps: f32,
  firstRow: u32,                              // of this window, for scale and shift
  outputStride: u32, outputColumn: u32,
  scaleRows: u32, scaleStride: u32, scaleColumn: u32,
  shiftRows: u32, shiftStride: u32, shiftColumn: u32,
  segment: vec3u,                             // of x: first, count, stride
}

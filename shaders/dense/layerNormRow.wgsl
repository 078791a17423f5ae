// What layerNormVectors.wgsl and layerNormSubgroups.wgsl share: one row, four columns at a time; every value is read once and kept in
// registers. threadsPerRow threads share a row, a workgroup holds several rows. Statistics in f32 whatever Input is; two passes, so no E[x^2] -
// E[x]^2 cancellation. Needs: columns, and strides and first columns of the output, scale and shift, multiples of 4; at most 64 columns
// a thread; a function `sumOfRow(value, thread, call)`: the sum over the row's threads, for each of its two calls. Eight columns (16
// bytes) a read of f16 are slower on an H200: 74 instead of 62 us (184,320 x 320), 40 instead of 38 (46,080 x 640).
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
override threadsPerRow: u32 = 64;    // a divisor of workgroupSize
override vectorsPerThread: u32 = 1;  // at most 16
override blockedY: bool = false;     // y lies in blocks (blocks.wgsl)
// include "dense/layerNormParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<Input>>;      // [rows, columns]
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;       // [columns]
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;         // [columns]
@group(0) @binding(3) var<storage, read> scale: array<vec4f>;        // [groups, scaleStride]
@group(0) @binding(4) var<storage, read> shift: array<vec4f>;        // [groups, shiftStride]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<Output>>; // [rows, outputStride]
@group(0) @binding(6) var<uniform> params: Params;

// include "dense/blocks"

// Row `row` of y by the threads whose number in it is `lane`.
fn normaliseRow(row: u32, lane: u32, thread: u32) {
  var sourceRow = row;
  if (segmented) { sourceRow = params.segment.x + row / params.segment.y * params.segment.z + row % params.segment.y; }
  let vectors = params.columns / 4u;
  let base = sourceRow * vectors;
  let end = select(0u, vectors, row < params.rows); // no work, but every barrier, past the last row
  var values = array<vec4f, 16>();
  var sum = vec4f();
  for (var i = 0u; i < vectorsPerThread; i++) {
    let c = lane + i * threadsPerRow;
    if (c < end) {
      values[i] = vec4f(x[base + c]);
      sum += values[i];
    }
  }
  let mean = sumOfRow(dot(sum, vec4f(1.0)), thread, 0u) / f32(params.columns);
  var square = vec4f();
  for (var i = 0u; i < vectorsPerThread; i++) {
    if (lane + i * threadsPerRow < end) {
      values[i] -= mean;
      square += values[i] * values[i];
    }
  }
  let variance = sumOfRow(dot(square, vec4f(1.0)), thread, 1u);
  let factor = 1.0 / sqrt(variance / f32(params.columns) + params.eps);
  let output = (row * params.outputStride + params.outputColumn) / 4u;
  let scaleBase = ((params.firstRow + row) / params.scaleRows * params.scaleStride + params.scaleColumn) / 4u;
  let shiftBase = ((params.firstRow + row) / params.shiftRows * params.shiftStride + params.shiftColumn) / 4u;
  for (var i = 0u; i < vectorsPerThread; i++) {
    let c = lane + i * threadsPerRow;
    if (c < end) {
      var v = values[i] * factor;
      if (affine) { v = v * weight[c] + bias[c]; }
      if (modulated) { v = v * (1.0 + scale[scaleBase + c]) + shift[shiftBase + c]; }
      if (silu) { v = v / (1.0 + exp(min(-v, vec4f(87.0)))); }
      var to = output + c;
      if (blockedY) { to = placeInBlocks(blockedY, row, c, params.outputStride / 4u, 8u); }
      y[to] = vec4<Output>(v);
    }
  }
}

// The same function, bindings and Params as matmul.wgsl, for at most 8 columns: no tile of columns to fill, so the sum over the
// channels is what is split. Needs: channels, inputStride and inputColumn multiples of 4; one weight, not `gated`.
//
// One workgroup: 32 rows. Eight neighbouring threads share four rows and take every eighth vector of four channels each (whole cache
// lines of x); their partial sums meet in workgroup memory, where each thread then finishes one row and four columns.
// conv_out of the 2D network on an H200 (184,320 rows, 2,880 deep, 4 columns, f32): under 0.4 ms; 39 ms in matmul.wgsl.
alias Input = f32;
alias Weight = f32;
alias Output = f32;
alias Residual = f32;
override wide: bool = false; // more than 4 columns
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<Input>>;          // [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<vec4<Weight>>;    // [columns, taps * channels]
@group(0) @binding(2) var<storage, read> bias: array<f32>;               // [columns]
@group(0) @binding(3) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(4) var<storage, read> rowBias: array<f32>;            // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<f32>;               // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<Residual>;      // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<Output>;         // [rows, outputStride]
@group(0) @binding(8) var<uniform> params: Params;

const none = 0xffffffffu;
var<workgroup> partial: array<vec4f, 64 * 8>; // [row of the thread, half of the columns][thread]

// include "dense/blocks"
// include "dense/matmulScalarEpilogue"

// First vector of the row that a tap reads, or none.
fn firstVector(row: u32, tap: u32) -> u32 {
  let m = min(row, params.rows - 1u); // rows past the end are computed and not stored
  if (blockedX) { return placeInBlocks(blockedX, m, 0u, params.inputStride / 4u, 8u); }
  if (!gathered) { return (segmentedRow(m, segmentedX, params.xSegment) * params.inputStride + params.inputColumn) / 4u; }
  let image = m / params.imageRowsOut;
  let neighbour = neighbours[(m - image * params.imageRowsOut) * params.taps + tap];
  if (neighbour < 0) { return none; }
  return ((image * params.imageRowsIn + u32(neighbour)) * params.inputStride + params.inputColumn) / 4u;
}

fn loadX(first: u32, k: u32) -> vec4f {
  if (first == none) { return vec4f(); }
  return vec4f(x[first + select(k, k / 8u * 64u + k % 8u, blockedX)]);
}

fn loadW(n: u32, k: u32) -> vec4f {
  return vec4f(weight[placeInBlocks(blockedWeight, min(n, params.columns - 1u), k, params.taps * params.channels / 4u, 8u)]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row0 = (group.x + group.y * groups.x) * 32u;
  if (row0 >= params.rows) { return; }
  let m = row0 + thread / 8u * 4u;
  let vectors = params.channels / 4u;
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var b0 = vec4f(); var b1 = vec4f(); var b2 = vec4f(); var b3 = vec4f();
  for (var tap = 0u; tap < params.taps; tap++) {
    let first0 = firstVector(m, tap);
    let first1 = firstVector(m + 1u, tap);
    let first2 = firstVector(m + 2u, tap);
    let first3 = firstVector(m + 3u, tap);
    for (var k = thread % 8u; k < vectors; k += 8u) {
      let x0 = loadX(first0, k);
      let x1 = loadX(first1, k);
      let x2 = loadX(first2, k);
      let x3 = loadX(first3, k);
      let at = tap * vectors + k;
      let w = mat4x4f(loadW(0u, at), loadW(1u, at), loadW(2u, at), loadW(3u, at));
      a0 += x0 * w;
      a1 += x1 * w;
      a2 += x2 * w;
      a3 += x3 * w;
      if (wide) {
        let v = mat4x4f(loadW(4u, at), loadW(5u, at), loadW(6u, at), loadW(7u, at));
        b0 += x0 * v;
        b1 += x1 * v;
        b2 += x2 * v;
        b3 += x3 * v;
      }
    }
  }
  partial[thread] = a0;
  partial[64u + thread] = a1;
  partial[128u + thread] = a2;
  partial[192u + thread] = a3;
  partial[256u + thread] = b0;
  partial[320u + thread] = b1;
  partial[384u + thread] = b2;
  partial[448u + thread] = b3;
  workgroupBarrier();
  // Thread t finishes row t mod 32 and columns of half t / 32.
  let row = thread % 32u;
  let half = thread / 32u;
  let first = (half * 4u + row % 4u) * 64u + row / 4u * 8u;
  var sum = vec4f();
  for (var i = 0u; i < 8u; i++) { sum += partial[first + i]; }
  if (row0 + row >= params.rows) { return; }
  for (var c = 0u; c < 4u; c++) {
    let n = half * 4u + c;
    if (n < params.columns) { store(activate(preActivation(sum[c], row0 + row, n)), row0 + row, n, params.columns); }
  }
}

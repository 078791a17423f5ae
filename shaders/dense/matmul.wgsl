// y[m, n] = [y[m, n] +] residual[m, n] + gate[m, n] * activation(sum_k X[m, k] * weight[n, k] + bias[n] + rowBias[m, n])
//
// X is x itself (a linear layer), or rows of x picked by a neighbour table, which makes every convolution this one kernel:
// X[m, tap * channels + c] = x[image * imageRowsIn + neighbours[m mod imageRowsOut, tap], c], 0 where the neighbour is -1.
// `gated` (GEGLU): weight rows come in pairs (value, gate) and y[m, n / 2] = value * activation(gate).
//
// One workgroup: a tile of 8 * threadsY rows x 8 * threadsX columns, each thread 8 x 8 of it in registers (two groups of four
// in both directions, so that neighbouring threads read neighbouring words of workgroup memory). Accumulation in f32.
alias Input = f32;
alias Weight = f32;
alias Output = f32;
alias Residual = f32;
override threadsX: u32 = 8;
override threadsY: u32 = 8;
override gated: bool = false;
// include "dense/matmulParams"
@group(0) @binding(0) var<storage, read> x: array<Input>;                // [rows in, inputStride]
@group(0) @binding(1) var<storage, read> weight: array<Weight>;          // [weights, columns, taps * channels]
@group(0) @binding(2) var<storage, read> bias: array<f32>;               // [columns]
@group(0) @binding(3) var<storage, read> neighbours: array<i32>;         // [imageRowsOut, taps]
@group(0) @binding(4) var<storage, read> rowBias: array<f32>;            // [groups, rowBiasStride]
@group(0) @binding(5) var<storage, read> gate: array<f32>;               // [groups, gateStride]
@group(0) @binding(6) var<storage, read> residual: array<Residual>;      // [rows, columns]
@group(0) @binding(7) var<storage, read_write> y: array<Output>;         // [rows, outputStride]
@group(0) @binding(8) var<uniform> params: Params;

const depth = 16u;
var<workgroup> tileX: array<f32, depth * 8u * threadsY>;
var<workgroup> tileW: array<f32, depth * 8u * threadsX>;

// include "dense/blocks"
// include "dense/matmulScalarEpilogue"

fn loadX(m: u32, k: u32) -> f32 {
  if (m >= params.rows || k >= params.taps * params.channels) { return 0.0; }
  if (blockedX) { return f32(x[placeInBlocks(blockedX, m, k, params.inputStride, 32u)]); }
  if (!gathered) { return f32(x[segmentedRow(m, segmentedX, params.xSegment) * params.inputStride + params.inputColumn + k]); }
  let tap = k / params.channels;
  let image = m / params.imageRowsOut;
  let neighbour = neighbours[(m - image * params.imageRowsOut) * params.taps + tap];
  if (neighbour < 0) { return 0.0; }
  return f32(x[(image * params.imageRowsIn + u32(neighbour)) * params.inputStride + params.inputColumn + k - tap * params.channels]);
}

@compute @workgroup_size(threadsX, threadsY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let tile = group.x + group.y * groups.x;
  let threads = threadsX * threadsY;
  let thread = local.x + local.y * threadsX;
  let tileRows = 8u * threadsY;
  let tileColumns = 8u * threadsX;
  let row0 = tile / params.columnTiles * tileRows;
  let column0 = tile % params.columnTiles * tileColumns;
  if (row0 >= params.rows) { return; }
  let inner = params.taps * params.channels;
  let firstWeight = (params.firstRow + row0) / params.weightRows * params.columns;
  var sums: array<vec4f, 16>; // [8 rows][2 groups of columns]
  for (var k0 = 0u; k0 < inner; k0 += depth) {
    for (var i = thread; i < tileRows * depth; i += threads) {
      let k = i % depth;
      let m = i / depth;
      tileX[k * tileRows + m] = loadX(row0 + m, k0 + k);
    }
    for (var i = thread; i < tileColumns * depth; i += threads) {
      let k = i % depth;
      let n = i / depth;
      var w = 0.0;
      if (column0 + n < params.columns && k0 + k < inner) { w = f32(weight[placeInBlocks(blockedWeight, firstWeight + column0 + n, k0 + k, inner, 32u)]); }
      tileW[k * tileColumns + n] = w;
    }
    workgroupBarrier();
    for (var k = 0u; k < depth; k++) {
      let a = k * tileRows + local.y * 4u;
      let b = k * tileColumns + local.x * 4u;
      let w0 = vec4f(tileW[b], tileW[b + 1u], tileW[b + 2u], tileW[b + 3u]);
      let c = b + 4u * threadsX;
      let w1 = vec4f(tileW[c], tileW[c + 1u], tileW[c + 2u], tileW[c + 3u]);
      for (var r = 0u; r < 4u; r++) {
        let x0 = tileX[a + r];
        let x1 = tileX[a + 4u * threadsY + r];
        sums[r * 2u] += x0 * w0;
        sums[r * 2u + 1u] += x0 * w1;
        sums[r * 2u + 8u] += x1 * w0;
        sums[r * 2u + 9u] += x1 * w1;
      }
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < 8u; r++) {
    let m = row0 + (r / 4u) * 4u * threadsY + local.y * 4u + r % 4u;
    if (m >= params.rows) { continue; }
    for (var c = 0u; c < 2u; c++) {
      let n0 = column0 + c * 4u * threadsX + local.x * 4u;
      let v = sums[r * 2u + c];
      if (gated) {
        for (var j = 0u; j < 4u; j += 2u) {
          if (n0 + j < params.columns) {
            store(preActivation(v[j], m, n0 + j) * activate(preActivation(v[j + 1u], m, n0 + j + 1u)), m, (n0 + j) / 2u, params.columns / 2u);
          }
        }
      } else {
        for (var j = 0u; j < 4u; j++) {
          if (n0 + j < params.columns) { store(activate(preActivation(v[j], m, n0 + j)), m, n0 + j, params.columns); }
        }
      }
    }
  }
}

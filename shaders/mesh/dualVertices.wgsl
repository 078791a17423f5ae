// dual[d] = sum over the edges e of its loop of beta_e * crossing_e / sum of beta_e
// crossing of edge (a, b) = (s_b p_a - s_a p_b) / (s_b - s_a) with s = sdf * alpha; colours alike.
// beta, alpha = 1 + 0.99 tanh(raw), gamma = 0.99 sigmoid(raw) + 0.005; a cube without features has raw weights 0. One invocation
// per dual vertex. Features larger than one binding come in windows of rows; the first window also takes the cubes without features.
// Shen et al. 2023, equations 3 to 5, as evaluated without the quadratic-error step.
override workgroupSize: u32 = 64;

struct Params {
  channels: u32,      // of points and result: 4, or 10 with colours
  count: u32,         // D
  columns: u32,       // of features
  weightColumn: u32,  // first of the 21 weights: 12 beta, 8 alpha, gamma
  firstRow: u32,
  rows: u32,
  isFirst: u32,
}

@group(0) @binding(0) var<storage, read> features: array<f32>;        // [rows, columns]
@group(0) @binding(1) var<storage, read> featureRows: array<u32>;     // [S] row of a surface cube, or absent
@group(0) @binding(2) var<storage, read> corners: array<u32>;         // [S, 8] row of points
@group(0) @binding(3) var<storage, read> points: array<f32>;          // [U, channels] x y z sdf colours
@group(0) @binding(4) var<storage, read> duals: array<vec2<u32>>;     // [D] (surface cube, mask of edges)
@group(0) @binding(5) var<storage, read_write> result: array<f32>;    // [D, 3] x y z, then [D, 6] colours, then [D] gamma
@group(0) @binding(6) var<uniform> params: Params;

const absent: u32 = 0xffffffffu;
const edgeStart = array<u32, 12>(0, 1, 4, 0, 2, 3, 6, 2, 2, 3, 7, 6);
const edgeEnd = array<u32, 12>(1, 5, 5, 4, 3, 7, 7, 6, 0, 1, 5, 4);

fn rawWeight(row: u32, index: u32) -> f32 {
  if (row == absent) { return 0.0; }
  return features[(row - params.firstRow) * params.columns + params.weightColumn + index];
}

fn aroundOne(raw: f32) -> f32 {
  return 1.0 + 0.99 * (1.0 - 2.0 / (exp(2.0 * clamp(raw, -10.0, 10.0)) + 1.0));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let d = id.y * groups.x * workgroupSize + id.x;
  if (d >= params.count) { return; }
  let cube = duals[d].x;
  let row = featureRows[cube];
  if (row == absent) {
    if (params.isFirst == 0u) { return; }
  } else if (row - params.firstRow >= params.rows) {
    return;
  }
  var total = array<f32, 10>();
  var betaSum = 0.0;
  for (var mask = duals[d].y; mask != 0u; mask &= mask - 1u) {
    let edge = firstTrailingBit(mask);
    let a = edgeStart[edge];
    let b = edgeEnd[edge];
    let pointA = corners[cube * 8u + a] * params.channels;
    let pointB = corners[cube * 8u + b] * params.channels;
    let sdfA = points[pointA + 3u] * aroundOne(rawWeight(row, 12u + a));
    let sdfB = points[pointB + 3u] * aroundOne(rawWeight(row, 12u + b));
    let beta = aroundOne(rawWeight(row, edge));
    betaSum += beta;
    for (var k = 0u; k < params.channels; k++) {
      if (k == 3u) { continue; }
      total[k] += beta * ((sdfB * points[pointA + k] - sdfA * points[pointB + k]) / (sdfB - sdfA));
    }
  }
  for (var k = 0u; k < params.channels; k++) {
    if (k < 3u) { result[d * 3u + k] = total[k] / betaSum; }
    if (k > 3u) { result[params.count * 3u + d * 6u + k - 4u] = total[k] / betaSum; }
  }
  result[params.count * (params.channels - 1u) + d] = 0.99 / (1.0 + exp(-clamp(rawWeight(row, 20u), -80.0, 80.0))) + 0.005;
}

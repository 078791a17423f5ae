// g = gradient + rowWeight * (sign(p - above) - sign(below - p)) + columnWeight * (sign(p - left) - sign(right - p))
// m = beta1 m + rest1 g;  v = beta2 v + rest2 g g;  p = p - stepSize m / (sqrt(v) / rootCorrection + epsilon);  rest = 1 - beta
// Total variation and Adam (Kingma and Ba 2015, algorithm 1) on a texture p, read from the pyramid's level 0 and written elsewhere.
// One invocation per texel and channel. sign(0) = 0; terms beyond the border are left out. Every rounding is torch's, on every GPU
// (its compilers join v's product and sum, no others): neighbours with the same gradient differ by roundings alone, and the total variation
// sees the sign of that.
override workgroupSize: u32 = 64;

struct Params {
  count: u32,           // 3 * texels
  width: u32,
  rowWeight: f32,
  columnWeight: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  epsilon: f32,
  stepSize: f32,        // learning rate / (1 - beta1^step)
  rootCorrection: f32,  // sqrt(1 - beta2^step)
  zero: u32,            // 0, which compilers cannot know
}

@group(0) @binding(0) var<storage, read> gradient: array<f32>;            // [height, width, 3]
@group(0) @binding(1) var<storage, read> pyramid: array<f32>;             // [texels of all levels, 3]
@group(0) @binding(2) var<storage, read_write> firstMoment: array<f32>;   // [height, width, 3]
@group(0) @binding(3) var<storage, read_write> secondMoment: array<f32>;  // [height, width, 3]
@group(0) @binding(4) var<storage, read_write> image: array<f32>;         // [height, width, 3]
@group(0) @binding(5) var<uniform> params: Params;

// include "mesh/exactArithmetic"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index >= params.count) { return; }
  let row = params.width * 3u;
  let column = index % row;
  let p = pyramid[index];
  var g = 0.0;
  if (column >= 3u) { g += params.columnWeight * sign(p - pyramid[index - 3u]); }
  if (column + 3u < row) { g -= params.columnWeight * sign(pyramid[index + 3u] - p); }
  if (index >= row) { g += params.rowWeight * sign(p - pyramid[index - row]); }
  if (index + row < params.count) { g -= params.rowWeight * sign(pyramid[index + row] - p); }
  g += gradient[index];
  let m = rounded(params.beta1 * firstMoment[index]) + rounded(params.rest1 * g);
  let v = fusedSum(rounded(params.rest2 * abs(g)), abs(g), rounded(params.beta2 * secondMoment[index]));
  firstMoment[index] = m;
  secondMoment[index] = v;
  image[index] = p - quotient(rounded(params.stepSize * m), quotient(squareRoot(v), params.rootCorrection) + params.epsilon);
}

// g = gradient + rowWeight * (sign(p - above) - sign(below - p)) + columnWeight * (sign(p - left) - sign(right - p))
// m = beta1 m + rest1 g;  v = beta2 v + rest2 g g;  p = p - stepSize m / (sqrt(v) / rootCorrection + epsilon);  rest = 1 - beta
// Total variation and Adam (Kingma and Ba 2015, algorithm 1) on a texture p, read from the pyramid's level 0 and written elsewhere.
// One invocation per texel and channel. sign(0) = 0; terms beyond the border are left out. Products are taken in torch's order: neighbours
// that get the same gradient differ by roundings alone, and the total variation sees the sign of that.
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

// Division and square root as IEEE rounds them: WGSL allows errors of 2.5 units in the last place. Factors are cut into halves of 12 bits,
// whose products are exact with and without fused operations, to get what the first quotient or root leaves over.
fn upperBits(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }

fn divide(a: f32, b: f32) -> f32 {
  let q = a / b;
  let qHigh = upperBits(q);
  let qLow = q - qHigh;
  let bHigh = upperBits(b);
  let bLow = b - bHigh;
  let rest = ((a - qHigh * bHigh) - qHigh * bLow - qLow * bHigh) - qLow * bLow;
  return q + rest / b;
}

fn squareRoot(a: f32) -> f32 {
  if (a == 0.0) { return 0.0; }
  let s = sqrt(a);
  let high = upperBits(s);
  let low = s - high;
  let rest = ((a - high * high) - 2.0 * high * low) - low * low;
  return s + rest / (2.0 * s);
}

// A product as it is rounded: compilers may not join it with a sum into one fused operation, which torch does not do either.
fn product(a: f32, b: f32) -> f32 { return bitcast<f32>(bitcast<u32>(a * b) ^ params.zero); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index >= params.count) { return; }
  let row = params.width * 3u;
  let column = index % row;
  let p = pyramid[index];
  var rows = 0.0;
  if (index >= row) { rows += sign(p - pyramid[index - row]); }
  if (index + row < params.count) { rows -= sign(pyramid[index + row] - p); }
  var columns = 0.0;
  if (column >= 3u) { columns += sign(p - pyramid[index - 3u]); }
  if (column + 3u < row) { columns -= sign(pyramid[index + 3u] - p); }
  let g = gradient[index] + (product(params.rowWeight, rows) + product(params.columnWeight, columns));
  let m = product(params.beta1, firstMoment[index]) + product(params.rest1, g);
  let v = product(params.beta2, secondMoment[index]) + product(params.rest2 * g, g);
  firstMoment[index] = m;
  secondMoment[index] = v;
  image[index] = p - divide(params.stepSize * m, divide(squareRoot(v), params.rootCorrection) + params.epsilon);
}

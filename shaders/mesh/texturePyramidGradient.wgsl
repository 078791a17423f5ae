// result[y, x, c] = sum over levels l of gradient_l[y / fy_l, x / fx_l, c] / (fx_l fy_l),  fx_l = width / width_l, fy_l alike
// gradient = (whole + fine / 2^fineBits) * inverseScale
// Factors and 2^fineBits are powers of two, by which quotients are products without roundings.
// The derivative through the pyramid's box means into level 0. One invocation per texel and channel; coarse levels first.
override workgroupSize: u32 = 64;

struct Params {
  count: u32,         // 3 * texels of level 0
  levelCount: u32,
  inverseScale: f32,
  fineBits: u32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec2<i32>>; // [texels of all levels, 3] whole, fine
@group(0) @binding(1) var<storage, read> levels: array<vec4<u32>>;   // [levels] first texel, width, height
@group(0) @binding(2) var<storage, read_write> result: array<f32>;   // [height, width, 3]
@group(0) @binding(3) var<uniform> params: Params;

// 1 / 2^exponent
fn inversePower(exponent: u32) -> f32 { return bitcast<f32>((127u - exponent) << 23u); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index >= params.count) { return; }
  let size = levels[0].yz;
  let texel = index / 3u;
  let channel = index - texel * 3u;
  let position = vec2<u32>(texel % size.x, texel / size.x);
  var sum = 0.0;
  for (var step = 0u; step < params.levelCount; step++) {
    let level = levels[params.levelCount - 1u - step];
    let factor = size / level.yz;
    let at = position / factor;
    let parts = gradient[(level.x + at.y * level.y + at.x) * 3u + channel];
    let carry = parts.y >> params.fineBits;
    let fine = f32(parts.y - (carry << params.fineBits)) * inversePower(params.fineBits);
    sum += (f32(parts.x + carry) + fine) * inversePower(countTrailingZeros(factor.x * factor.y));
  }
  result[index] = sum * params.inverseScale;
}

// result[y, x, c] = sum over levels l of gradient_l[y / fy_l, x / fx_l, c] / (fx_l fy_l),  fx_l = width / width_l, fy_l alike
// gradient = (whole + fine / 2^fineBits) * inverseScale
// The derivative through the pyramid's box means into level 0. One invocation per texel; coarse levels first. Factors are powers of two, by
// which quotients are shifts, or products without roundings.
override workgroupSize: u32 = 64;

struct Params {
  count: u32,         // texels of level 0
  levelCount: u32,
  inverseScale: f32,
  fineBits: u32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec2<i32>>; // [texels of all levels, 3] whole, fine
@group(0) @binding(1) var<storage, read> levels: array<vec4<u32>>;   // [levels] first texel, width, height, log2 fx + 256 log2 fy
@group(0) @binding(2) var<storage, read_write> result: array<f32>;   // [height, width, 3]
@group(0) @binding(3) var<uniform> params: Params;

// 1 / 2^exponent
fn inversePower(exponent: u32) -> f32 { return bitcast<f32>((127u - exponent) << 23u); }

fn value(parts: vec2<i32>) -> f32 {
  let carry = parts.y >> params.fineBits;
  return f32(parts.x + carry) + f32(parts.y - (carry << params.fineBits)) * inversePower(params.fineBits);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let texel = id.y * groups.x * workgroupSize + id.x;
  if (texel >= params.count) { return; }
  let width = levels[0].y;
  let position = vec2<u32>(texel % width, texel / width);
  var sum = vec3<f32>(0.0);
  for (var step = 0u; step < params.levelCount; step++) {
    let level = levels[params.levelCount - 1u - step];
    let shift = vec2<u32>(level.w & 0xffu, level.w >> 8u);
    let at = position >> shift;
    let first = (level.x + at.y * level.y + at.x) * 3u;
    let colors = vec3<f32>(value(gradient[first]), value(gradient[first + 1u]), value(gradient[first + 2u]));
    sum += colors * inversePower(shift.x + shift.y);
  }
  sum *= params.inverseScale;
  result[texel * 3u] = sum.x;
  result[texel * 3u + 1u] = sum.y;
  result[texel * 3u + 2u] = sum.z;
}

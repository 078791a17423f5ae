// values[n, c] = (1 - r) bilinear(level floor(l), u, v)[c] + r bilinear(level floor(l) + 1, u, v)[c],  r = l - floor(l)
// Trilinear lookup; texel [y, x] of a level lies at ((x + 0.5) / width, (y + 0.5) / height), coordinates wrap around. One invocation per
// sample.
override workgroupSize: u32 = 64;

struct Params {
  count: u32,       // samples
  levelCount: u32,
  zero: u32,        // 0, which compilers cannot know
}

@group(0) @binding(0) var<storage, read> samples: array<vec4<u32>>;  // [N] bits of f32 u, v, level; colour
@group(0) @binding(1) var<storage, read> levels: array<vec4<u32>>;   // [levels] first texel, width, height
@group(0) @binding(2) var<storage, read> pyramid: array<f32>;        // [texels of all levels, 3]
@group(0) @binding(3) var<storage, read_write> values: array<f32>;   // [N, 3]
@group(0) @binding(4) var<uniform> params: Params;

fn texel(index: u32) -> vec3<f32> {
  return vec3<f32>(pyramid[index * 3u], pyramid[index * 3u + 1u], pyramid[index * 3u + 2u]);
}

// A product as it is rounded: not joined with a sum into one fused operation, which would round once.
fn product(a: vec3<f32>, b: f32) -> vec3<f32> { return bitcast<vec3<f32>>(bitcast<vec3<u32>>(a * b) ^ vec3<u32>(params.zero)); }

// include "mesh/texelCorners"

fn bilinear(level: vec4<u32>, position: vec2<f32>) -> vec3<f32> {
  let corners = cornersOf(level, position);
  let part = corners.part;
  let top = product(texel(corners.texels.x), 1.0 - part.x) + product(texel(corners.texels.y), part.x);
  let bottom = product(texel(corners.texels.z), 1.0 - part.x) + product(texel(corners.texels.w), part.x);
  return product(top, 1.0 - part.y) + product(bottom, part.y);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index >= params.count) { return; }
  let sample = samples[index];
  let position = vec2<f32>(bitcast<f32>(sample.x), bitcast<f32>(sample.y));
  let level = bitcast<f32>(sample.z);
  let lower = min(u32(level), params.levelCount - 1u);
  let upper = min(lower + 1u, params.levelCount - 1u);
  let part = level - f32(lower);
  let value = product(bilinear(levels[lower], position), 1.0 - part) + product(bilinear(levels[upper], position), part);
  values[index * 3u] = value.x;
  values[index * 3u + 1u] = value.y;
  values[index * 3u + 2u] = value.z;
}

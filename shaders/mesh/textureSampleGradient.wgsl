// gradient[t, c] += weight(n, t) * upstream[n, c] for the up to eight texels t that sample n reads (textureSample.wgsl)
// in fixed point: whole numbers of 1 / scale, and what is left in whole numbers of 1 / (scale * fineScale).
// upstream is given, or the derivative of weight * |values - colour|: weight * sign(values[n, c] - colour[n, c] / 255).
// One invocation per sample. Sums are whole numbers, so that their order does not matter: the same bytes every time.
// Samples at (0, 0) of level 0, as all pixels have that no triangle covers, all want the same four texels: a workgroup adds theirs up first.
override workgroupSize: u32 = 64;
override comparesColors: bool = false;

struct Params {
  count: u32,       // samples
  levelCount: u32,
  weight: f32,      // where comparesColors
  scale: f32,       // a power of two: scale * (sum of |upstream|) is below 2^30
  fineScale: f32,   // a power of two: fineScale * samples is at most 2^30
  zero: u32,        // 0, which compilers cannot know
}

@group(0) @binding(0) var<storage, read> samples: array<vec4<u32>>;           // [N] bits of f32 u, v, level; colour r + 256 g + 65536 b
@group(0) @binding(1) var<storage, read> levels: array<vec4<u32>>;            // [levels] first texel, width, height
@group(0) @binding(2) var<storage, read> values: array<f32>;                  // [N, 3] samples where comparesColors, else upstream
@group(0) @binding(3) var<storage, read_write> gradient: array<atomic<i32>>;  // [texels of all levels, 3, 2]
@group(0) @binding(4) var<uniform> params: Params;

// include "mesh/exactArithmetic"

fn add(index: u32, amount: f32) {
  let whole = round(amount);
  let rest = i32(round((amount - whole) * params.fineScale));
  if (whole != 0.0) { atomicAdd(&gradient[index * 2u], i32(whole)); }
  if (rest != 0) { atomicAdd(&gradient[index * 2u + 1u], rest); }
}

// Of the workgroup's samples at (0, 0): [3, 2] what each of the four corner texels gets.
var<workgroup> cornerSums: array<atomic<i32>, 6>;

fn addCorners(amount: vec3<f32>) {
  for (var channel = 0u; channel < 3u; channel++) {
    let whole = round(amount[channel]);
    atomicAdd(&cornerSums[channel * 2u], i32(whole));
    atomicAdd(&cornerSums[channel * 2u + 1u], i32(round((amount[channel] - whole) * params.fineScale)));
  }
}

fn addColor(texel: u32, amount: vec3<f32>) {
  add(texel * 3u, amount.x);
  add(texel * 3u + 1u, amount.y);
  add(texel * 3u + 2u, amount.z);
}

// include "mesh/texelCorners"

// Factors in the order of the lookup's derivative: rows first, then columns.
fn scatter(level: vec4<u32>, position: vec2<f32>, amount: vec3<f32>) {
  let corners = cornersOf(level, position);
  let part = corners.part;
  addColor(corners.texels.x, amount * (1.0 - part.y) * (1.0 - part.x));
  addColor(corners.texels.y, amount * (1.0 - part.y) * part.x);
  addColor(corners.texels.z, amount * part.y * (1.0 - part.x));
  addColor(corners.texels.w, amount * part.y * part.x);
}

fn addSample(index: u32) {
  let sample = samples[index];
  let position = vec2<f32>(bitcast<f32>(sample.x), bitcast<f32>(sample.y));
  let level = bitcast<f32>(sample.z);
  var upstream = vec3<f32>(values[index * 3u], values[index * 3u + 1u], values[index * 3u + 2u]);
  if (comparesColors) {
    let bytes = vec3<f32>(vec3<u32>(sample.w, sample.w >> 8u, sample.w >> 16u) & vec3<u32>(255u));
    let color = vec3<f32>(quotient(bytes.x, 255.0), quotient(bytes.y, 255.0), quotient(bytes.z, 255.0));
    upstream = sign(upstream - color) * params.weight;
  }
  if (all(sample.xyz == vec3<u32>(0u))) {
    addCorners(upstream * params.scale * 0.25);
    return;
  }
  let lower = min(u32(level), params.levelCount - 1u);
  let upper = min(lower + 1u, params.levelCount - 1u);
  let part = level - f32(lower);
  scatter(levels[lower], position, upstream * (1.0 - part) * params.scale);
  if (part > 0.0) { scatter(levels[upper], position, upstream * part * params.scale); }
}

@compute @workgroup_size(workgroupSize)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (local < 6u) { atomicStore(&cornerSums[local], 0); }
  workgroupBarrier();
  if (index < params.count) { addSample(index); }
  workgroupBarrier();
  if (local >= 24u) { return; }
  let sum = atomicLoad(&cornerSums[local % 6u]);
  if (sum == 0) { return; }
  let corner = local / 6u;
  let row = select(levels[0].z - 1u, 0u, corner >= 2u);
  let column = select(levels[0].y - 1u, 0u, (corner & 1u) == 1u);
  atomicAdd(&gradient[(row * levels[0].y + column) * 6u + local % 6u], sum);
}

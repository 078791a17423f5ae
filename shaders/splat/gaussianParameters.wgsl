// The parameters of the Gaussians of every voxel from the features of the decoder's head, one invocation a Gaussian.
// Features of a voxel: position [gaussians, 3] | colour [gaussians, 3] | scaling [gaussians, 3] | rotation [gaussians, 4] | opacity [gaussians].
//   position = (voxel + 0.5) / resolution + tanh(rate * f + offset) * reach, in [0, 1]; other raw parameters are rate * f
//   world: position - 0.5; scale = sqrt(softplus(s + scalingBias)^2 + smallest^2); rotation = normalize(r + (1, 0, 0, 0));
//   opacity = sigmoid(o + opacityBias)
override workgroupSize: u32 = 64;
struct Params {
  count: u32,             // voxels * gaussians of this window
  gaussians: u32,         // of a voxel
  firstVoxel: u32,        // of this window
  resolution: f32, reach: f32,
  positionRate: f32, colorRate: f32, scalingRate: f32, rotationRate: f32, opacityRate: f32,
  scalingBias: f32, opacityBias: f32, smallest: f32,
}
@group(0) @binding(0) var<storage, read> features: array<f32>;     // [voxels, 14 * gaussians]
@group(0) @binding(1) var<storage, read> coords: array<vec4i>;     // [voxels] batch, x, y, z
@group(0) @binding(2) var<storage, read> offsets: array<f32>;      // [gaussians, 3]
@group(0) @binding(3) var<storage, read_write> raw: array<f32>;    // [count, 14] position, colour, scaling, rotation, opacity
@group(0) @binding(4) var<storage, read_write> activated: array<f32>; // [count, 14] world position, colour, scale, rotation, opacity
@group(0) @binding(5) var<uniform> params: Params;

const channels = 14u;

fn log1p(v: f32) -> f32 { // below 0.5 by the series of 2 atanh(v / (2 + v)): 1 + v would drop the digits of a small v
  let s = v / (2.0 + v);
  let q = s * s;
  let series = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q / 9.0))));
  return select(log(1.0 + v), series, v < 0.5);
}

fn softplus(v: f32) -> f32 { return select(log1p(exp(min(v, 20.0))), v, v > 20.0); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  let voxel = index / params.gaussians;
  let gaussian = index - voxel * params.gaussians;
  let base = voxel * channels * params.gaussians;
  let at = index * channels;
  let corner = vec3f(coords[params.firstVoxel + voxel].yzw);
  for (var axis = 0u; axis < 3u; axis++) {
    let triple = base + gaussian * 3u + axis;
    let start = features[triple] * params.positionRate + offsets[gaussian * 3u + axis];
    let offset = tanh(clamp(start, -15.0, 15.0)) * params.reach;
    let position = (corner[axis] + 0.5) / params.resolution + offset;
    let color = features[triple + 3u * params.gaussians] * params.colorRate;
    let scaling = features[triple + 6u * params.gaussians] * params.scalingRate;
    let scale = softplus(scaling + params.scalingBias);
    raw[at + axis] = position;
    raw[at + 3u + axis] = color;
    raw[at + 6u + axis] = scaling;
    activated[at + axis] = position - 0.5;
    activated[at + 3u + axis] = color;
    activated[at + 6u + axis] = sqrt(scale * scale + params.smallest * params.smallest);
  }
  var rotation = vec4f(0.0);
  for (var part = 0u; part < 4u; part++) {
    rotation[part] = features[base + 9u * params.gaussians + gaussian * 4u + part] * params.rotationRate;
    raw[at + 9u + part] = rotation[part];
  }
  rotation.x += 1.0;
  rotation /= max(length(rotation), 1e-12);
  for (var part = 0u; part < 4u; part++) { activated[at + 9u + part] = rotation[part]; }
  let opacity = features[base + 13u * params.gaussians + gaussian] * params.opacityRate;
  raw[at + 13u] = opacity;
  activated[at + 13u] = 1.0 / (1.0 + exp(-(opacity + params.opacityBias)));
}

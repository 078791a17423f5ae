// y[image, p, c] = activation((x[image, p, c] - factors[image, 0, c]) * factors[image, 1, c] + bias[c])
// Last of three steps of groupNorm. One workgroup: sliceRows positions of one image x `width` vectors of channels, divided as in
// groupNormPartials; a thread keeps its channels' factors.
alias Input = f32;  // or vec4 of f32 or f16
alias Values = f32; // as many f32
alias Output = f32; // or as many f16
override workgroupSize: u32 = 64;
override affine: bool = true;
override silu: bool = false;
override blockedY: bool = false;   // y lies in blocks (blocks.wgsl), elements are vectors of four
struct Params {
  positions: u32, channels: u32,   // channels in vectors
  sliceRows: u32, slices: u32,     // of one image, or of the window of one
  firstImage: u32,
  width: u32, chunks: u32,
  workgroups: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;                // [images, positions, channels]
@group(0) @binding(1) var<storage, read> factors: array<Values>;         // [all images, 2, channels]: mean, factor
@group(0) @binding(2) var<storage, read> bias: array<Values>;            // [channels]
@group(0) @binding(3) var<storage, read_write> y: array<Output>;         // [images, positions, channels]
@group(0) @binding(4) var<uniform> params: Params;

// include "dense/blocks"

fn activated(v: Values) -> Output {
  if (!silu) { return Output(v); }
  return Output(v / (1.0 + exp(min(-v, Values(87.0)))));
}

fn placeOf(row: u32, channel: u32) -> u32 { return placeInBlocks(blockedY, row, channel, params.channels, 8u); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  let lanes = workgroupSize / params.width;
  let lane = thread / params.width;
  let channel = index % params.chunks * params.width + thread % params.width;
  if (index >= params.workgroups || channel >= params.channels || lane >= lanes) { return; }
  let slice = index / params.chunks % params.slices;
  let image = index / params.chunks / params.slices;
  let first = slice * params.sliceRows;
  let rows = min(params.positions - first, params.sliceRows);
  if (lane >= rows) { return; }
  let mean = factors[(params.firstImage + image) * 2u * params.channels + channel];
  let factor = factors[((params.firstImage + image) * 2u + 1u) * params.channels + channel];
  var offset = Values();
  if (affine) { offset = bias[channel]; }
  let step = lanes * params.channels;
  let count = (rows - lane + lanes - 1u) / lanes;
  var row = image * params.positions + first + lane;
  var at = row * params.channels + channel;
  for (var left = count; left >= 4u; left -= 4u) {
    let a = Values(x[at]);
    let b = Values(x[at + step]);
    let c = Values(x[at + 2u * step]);
    let d = Values(x[at + 3u * step]);
    y[placeOf(row, channel)] = activated((a - mean) * factor + offset);
    y[placeOf(row + lanes, channel)] = activated((b - mean) * factor + offset);
    y[placeOf(row + 2u * lanes, channel)] = activated((c - mean) * factor + offset);
    y[placeOf(row + 3u * lanes, channel)] = activated((d - mean) * factor + offset);
    at += 4u * step;
    row += 4u * lanes;
  }
  for (var left = count % 4u; left > 0u; left--) {
    y[placeOf(row, channel)] = activated((Values(x[at]) - mean) * factor + offset);
    at += step;
    row += lanes;
  }
}

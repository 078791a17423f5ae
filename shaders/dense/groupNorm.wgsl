// y[image, p, c] = activation((x[image, p, c] - mean[image, group(c)]) * factor[image, group(c)] * weight[c] + bias[c])
// Last of three steps of groupNorm. One workgroup: sliceRows positions of one image x `width` channels, divided as in
// groupNormPartials; a thread keeps its channel's factors.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
override affine: bool = true;
override silu: bool = false;
struct Params {
  positions: u32, channels: u32, groupChannels: u32,
  sliceRows: u32, slices: u32,     // of one image, or of the window of one
  firstImage: u32,
  width: u32, chunks: u32,
  workgroups: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;                // [images, positions, channels]
@group(0) @binding(1) var<storage, read> statistics: array<vec2f>;       // [all images, groups]: mean, factor
@group(0) @binding(2) var<storage, read> weight: array<f32>;             // [channels]
@group(0) @binding(3) var<storage, read> bias: array<f32>;               // [channels]
@group(0) @binding(4) var<storage, read_write> y: array<Output>;         // [images, positions, channels]
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  let lanes = workgroupSize / params.width;
  let lane = thread / params.width;
  let channel = index % params.chunks * params.width + thread % params.width;
  if (index >= params.workgroups || channel >= params.channels || lane >= lanes) { return; }
  let slice = index / params.chunks % params.slices;
  let image = index / params.chunks / params.slices;
  let groupsOfImage = params.channels / params.groupChannels;
  let statistic = statistics[(params.firstImage + image) * groupsOfImage + channel / params.groupChannels];
  var scale = statistic.y;
  var offset = 0.0;
  if (affine) {
    scale *= weight[channel];
    offset = bias[channel];
  }
  let first = slice * params.sliceRows;
  let last = min(params.positions, first + params.sliceRows);
  let base = image * params.positions * params.channels + channel;
  for (var p = first + lane; p < last; p += lanes) {
    let at = base + p * params.channels;
    var v = (f32(x[at]) - statistic.x) * scale + offset;
    if (silu) { v = v / (1.0 + exp(min(-v, 87.0))); }
    y[at] = Output(v);
  }
}

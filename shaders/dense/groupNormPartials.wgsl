// partials[image, slice, c] = (mean, sum of (x - mean)^2) of channel c over the slice's positions.
// First of three steps of groupNorm. One workgroup: sliceRows positions of one image x `width` channels; neighbouring threads read
// neighbouring channels, and where channels are few several lanes of threads share the positions. Statistics in f32 whatever Input
// is; two passes over the slice, so no E[x^2] - E[x]^2 cancellation.
alias Input = f32;
override workgroupSize: u32 = 64;
struct Params {
  positions: u32, channels: u32,   // of one image, or of the window of one
  sliceRows: u32, slices: u32,     // slices of this window
  firstSlice: u32, allSlices: u32, // this window's place in partials
  firstImage: u32,
  width: u32, chunks: u32,         // channels = at most width * chunks
  workgroups: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;                  // [images, positions, channels]
@group(0) @binding(1) var<storage, read_write> partials: array<vec2f>;     // [all images, allSlices, channels]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, workgroupSize>;

fn sumOfChannel(value: f32, thread: u32) -> f32 {
  sums[thread] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = thread % params.width; i < workgroupSize / params.width * params.width; i += params.width) { sum += sums[i]; }
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  if (index >= params.workgroups) { return; }
  let chunk = index % params.chunks;
  let slice = index / params.chunks % params.slices;
  let image = index / params.chunks / params.slices;
  let lanes = workgroupSize / params.width;
  let lane = thread / params.width;
  let channel = chunk * params.width + thread % params.width;
  let first = slice * params.sliceRows;
  let last = min(params.positions, first + params.sliceRows);
  // No work, but every barrier, for threads beyond the channels and lanes.
  let end = select(first, last, channel < params.channels && lane < lanes);
  let base = image * params.positions * params.channels + channel;
  var sum = 0.0;
  for (var p = first + lane; p < end; p += lanes) { sum += f32(x[base + p * params.channels]); }
  let mean = sumOfChannel(sum, thread) / f32(last - first);
  var squares = 0.0;
  for (var p = first + lane; p < end; p += lanes) {
    let d = f32(x[base + p * params.channels]) - mean;
    squares += d * d;
  }
  let total = sumOfChannel(squares, thread);
  if (lane == 0u && channel < params.channels) {
    partials[((params.firstImage + image) * params.allSlices + params.firstSlice + slice) * params.channels + channel] = vec2f(mean, total);
  }
}

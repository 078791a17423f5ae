// statistics[image, group] = (mean, 1 / sqrt(variance + eps)) over all positions and the group's channels.
// Second of three steps of groupNorm: merges the partial means and squares of slices x channels. One workgroup per image and group.
// Two passes: the mean of the means first, then sum (squares_i + count_i * (mean_i - mean)^2), which loses nothing to cancellation.
override workgroupSize: u32 = 64;
struct Params {
  positions: u32, channels: u32, groupChannels: u32,
  sliceRows: u32, slices: u32,
  eps: f32,
  groups: u32,       // of one image
  workgroups: u32,
}
@group(0) @binding(0) var<storage, read> partials: array<vec2f>;             // [images, slices, channels]
@group(0) @binding(1) var<storage, read_write> statistics: array<vec2f>;     // [images, groups]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<f32, workgroupSize>;

fn sumOfWorkgroup(value: f32, thread: u32) -> f32 {
  sums[thread] = value;
  workgroupBarrier();
  for (var half = workgroupSize / 2u; half > 0u; half /= 2u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  let sum = sums[0];
  workgroupBarrier();
  return sum;
}

fn rowsOfSlice(slice: u32) -> f32 {
  return f32(min(params.sliceRows, params.positions - slice * params.sliceRows));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  if (index >= params.workgroups) { return; }
  let base = index / params.groups * params.slices * params.channels + index % params.groups * params.groupChannels;
  let count = params.slices * params.groupChannels;
  let elements = f32(params.positions) * f32(params.groupChannels);
  var sum = 0.0;
  for (var i = thread; i < count; i += workgroupSize) {
    let slice = i / params.groupChannels;
    sum += partials[base + slice * params.channels + i % params.groupChannels].x * rowsOfSlice(slice);
  }
  let mean = sumOfWorkgroup(sum, thread) / elements;
  var squares = 0.0;
  for (var i = thread; i < count; i += workgroupSize) {
    let slice = i / params.groupChannels;
    let partial = partials[base + slice * params.channels + i % params.groupChannels];
    let d = partial.x - mean;
    squares += partial.y + rowsOfSlice(slice) * d * d;
  }
  let variance = sumOfWorkgroup(squares, thread) / elements;
  if (thread == 0u) { statistics[index] = vec2f(mean, 1.0 / sqrt(variance + params.eps)); }
}

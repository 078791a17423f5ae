// factors[image, 0, c] = mean of c's group, factors[image, 1, c] = weight[c] / sqrt(variance of c's group + eps)
// over all positions and the group's channels. Second of three steps of groupNorm: merges the partial means and squares of slices x
// channels. One workgroup per image and group. Two passes: the mean of the means first, then sum (squares_i + count_i * (mean_i -
// mean)^2), which loses nothing to cancellation.
override workgroupSize: u32 = 64;
override affine: bool = true;
struct Params {
  positions: u32, channels: u32, groupChannels: u32,
  sliceRows: u32, slices: u32,
  eps: f32,
  groups: u32,       // of one image
  workgroups: u32,
}
@group(0) @binding(0) var<storage, read> partials: array<f32>;               // [images, slices, 2, channels]
@group(0) @binding(1) var<storage, read> weight: array<f32>;                 // [channels]
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;          // [images, 2, channels]
@group(0) @binding(3) var<uniform> params: Params;

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
  let image = index / params.groups;
  let firstChannel = index % params.groups * params.groupChannels;
  let base = image * params.slices * 2u * params.channels + firstChannel;
  let count = params.slices * params.groupChannels;
  let elements = f32(params.positions) * f32(params.groupChannels);
  var sum = 0.0;
  for (var i = thread; i < count; i += workgroupSize) {
    let slice = i / params.groupChannels;
    sum += partials[base + slice * 2u * params.channels + i % params.groupChannels] * rowsOfSlice(slice);
  }
  let mean = sumOfWorkgroup(sum, thread) / elements;
  var squares = 0.0;
  for (var i = thread; i < count; i += workgroupSize) {
    let slice = i / params.groupChannels;
    let at = base + slice * 2u * params.channels + i % params.groupChannels;
    let d = partials[at] - mean;
    squares += partials[at + params.channels] + rowsOfSlice(slice) * d * d;
  }
  let factor = 1.0 / sqrt(sumOfWorkgroup(squares, thread) / elements + params.eps);
  for (var c = thread; c < params.groupChannels; c += workgroupSize) {
    let at = image * 2u * params.channels + firstChannel + c;
    factors[at] = mean;
    factors[at + params.channels] = select(factor, factor * weight[firstChannel + c], affine);
  }
}

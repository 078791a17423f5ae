// factors[image, 0, c] = mean of c's group, factors[image, 1, c] = weight[c] / sqrt(variance of c's group + eps)
// over all positions and the group's channels: what groupNormPartials and groupNormStatistics give, in one pass for many small images. One
// workgroup per image and group; neighbouring threads read neighbouring vectors of the group's channels, `lanes` positions at a time.
// A thread sums differences to the first value it sees, see groupNormPartials.wgsl; threads are merged in two passes, the mean of
// the means first. Statistics in f32 whatever Input is. On an H200, 20 images in f16, microseconds (in slices): 12^2 x 1,280 5.9 (11.3), 24^2 x
// 1,280 8.8 (19.9), 48^2 x 640 24.4 (29.4), 96^2 x 320 63 (41; not chosen); 256 threads 7.2, 10.6, 25.6, 512 15.5, 20.5, 38.7.
alias Input = vec4f;  // or vec2, or of f16
alias Values = vec4f; // as many f32
override workgroupSize: u32 = 64; // at least the vectors of a group
override affine: bool = true;
struct Params {
  positions: u32, channels: u32, groupChannels: u32,
  vectors: u32, groupVectors: u32,   // of a position, of a group at a position
  eps: f32,
  groups: u32,       // of one image
  workgroups: u32,
  firstImage: u32,   // of this window, for factors
}
@group(0) @binding(0) var<storage, read> x: array<Input>;             // [images, positions, channels]
@group(0) @binding(1) var<storage, read> weight: array<f32>;          // [channels]
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;   // [all images, 2, channels]
@group(0) @binding(3) var<uniform> params: Params;

const parts = 16u;
var<workgroup> sums: array<f32, workgroupSize>;
var<workgroup> partSums: array<f32, parts>;

// The same for all threads; 16 threads sum every 16th of the values first.
fn sumOfWorkgroup(value: f32, thread: u32) -> f32 {
  sums[thread] = value;
  workgroupBarrier();
  if (thread < parts) {
    var sum = 0.0;
    for (var i = thread; i < workgroupSize; i += parts) { sum += sums[i]; }
    partSums[thread] = sum;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < parts; i++) { sum += partSums[i]; }
  return sum;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = group.x + group.y * groups.x;
  if (index >= params.workgroups) { return; }
  let image = index / params.groups;
  let groupOfImage = index % params.groups;
  let lanes = workgroupSize / params.groupVectors;
  let lane = thread / params.groupVectors;
  // No work, but every barrier, for threads beyond the lanes and positions.
  let working = lane < min(lanes, params.positions);
  let count = select(0u, (params.positions - lane + lanes - 1u) / lanes, working);
  let step = lanes * params.vectors;
  var at = (image * params.positions + lane) * params.vectors + groupOfImage * params.groupVectors + thread % params.groupVectors;
  var shift = Values();
  if (working) { shift = Values(x[at]); }
// include "dense/groupNormEights"
  for (; left > 0u; left--) {
    let a = Values(x[at]) - shift;
    sum += a;
    squares += a * a;
    at += step;
  }
  let elements = f32(params.positions) * f32(params.groupChannels);
  let counted = f32(count);
  let one = Values(1.0);
  let mean = sumOfWorkgroup(dot(shift * counted + sum, one), thread) / elements;
  // Of a thread: sum (x - mean)^2 = sum d^2 - (sum d)^2 / n + n (its mean - mean)^2.
  let difference = sum / max(counted, 1.0);
  let ofMeans = shift + difference - mean;
  let square = max(squares - sum * difference, Values()) + counted * ofMeans * ofMeans;
  let factor = 1.0 / sqrt(sumOfWorkgroup(dot(square, one), thread) / elements + params.eps);
  for (var c = thread; c < params.groupChannels; c += workgroupSize) {
    let channel = groupOfImage * params.groupChannels + c;
    let place = (params.firstImage + image) * 2u * params.channels + channel;
    factors[place] = mean;
    factors[place + params.channels] = select(factor, factor * weight[channel], affine);
  }
}

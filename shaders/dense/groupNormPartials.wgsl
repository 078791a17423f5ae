// partials[image, slice, 0, c] = mean of channel c over the slice's positions, [image, slice, 1, c] = sum of (x - mean)^2
// First of three steps of groupNorm. One workgroup: sliceRows positions of one image x `width` vectors of channels; neighbouring threads
// read neighbouring channels, and where channels are few several lanes of threads share the positions. Statistics in f32 whatever Input
// is, in one pass: a thread sums the differences d to the first value it sees, and their squares. As that value is one of the n it sums,
// the relative error of sum d^2 - (sum d)^2 / n is at most n roundings, whatever the mean is.
alias Input = f32;  // or vec4 of f32 or f16
alias Values = f32; // as many f32
override workgroupSize: u32 = 64;
struct Params {
  positions: u32, channels: u32,   // of one image, or of the window of one; channels in vectors
  sliceRows: u32, slices: u32,     // slices of this window
  firstSlice: u32, allSlices: u32, // this window's place in partials
  firstImage: u32,
  width: u32, chunks: u32,         // channels = at most width * chunks
  workgroups: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Input>;                  // [images, positions, channels]
@group(0) @binding(1) var<storage, read_write> partials: array<Values>;    // [all images, allSlices, 2, channels]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> means: array<Values, workgroupSize>;
var<workgroup> totals: array<Values, workgroupSize>;

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
  let rows = min(params.positions - first, params.sliceRows);
  // No work, but every barrier, for threads beyond the channels and lanes.
  let working = channel < params.channels && lane < min(lanes, rows);
  let step = lanes * params.channels;
  if (working) {
    let count = (rows - lane + lanes - 1u) / lanes;
    var at = (image * params.positions + first + lane) * params.channels + channel;
    let shift = Values(x[at]);
// include "dense/groupNormEights"
    for (; left >= 4u; left -= 4u) {
      let a = Values(x[at]) - shift;
      let b = Values(x[at + step]) - shift;
      let c = Values(x[at + 2u * step]) - shift;
      let d = Values(x[at + 3u * step]) - shift;
      sum += (a + b) + (c + d);
      squares += (a * a + b * b) + (c * c + d * d);
      at += 4u * step;
    }
    for (; left > 0u; left--) {
      let a = Values(x[at]) - shift;
      sum += a;
      squares += a * a;
      at += step;
    }
    let difference = sum / f32(count);
    means[thread] = shift + difference;
    totals[thread] = max(squares - sum * difference, Values());
  }
  workgroupBarrier();
  if (lane > 0u || !working) { return; }
  var mean = Values();
  for (var other = 0u; other < min(lanes, rows); other++) {
    mean += means[thread + other * params.width] * f32((rows - other + lanes - 1u) / lanes);
  }
  mean /= f32(rows);
  var total = Values();
  for (var other = 0u; other < min(lanes, rows); other++) {
    let d = means[thread + other * params.width] - mean;
    total += totals[thread + other * params.width] + d * d * f32((rows - other + lanes - 1u) / lanes);
  }
  let at = ((params.firstImage + image) * params.allSlices + params.firstSlice + slice) * 2u * params.channels + channel;
  partials[at] = mean;
  partials[at + params.channels] = total;
}

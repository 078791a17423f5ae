// counts[firstCount + group] = how many of the workgroup's elements are NaN or infinite, told by their bits (a compiler may assume that
// floats are finite). With `adding`, words are counts already and are added up: the second step, one workgroup.
override workgroupSize: u32 = 64;
override halves: bool = false;  // a word holds two f16, else one f32
override adding: bool = false;
struct Params {
  words: u32, elements: u32,
  firstCount: u32,
  groups: u32,                  // workgroups, which stride through the words together
}
@group(0) @binding(0) var<storage, read> x: array<u32>;                  // [words]
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;       // [>= firstCount + groups]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> sums: array<u32, workgroupSize>;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var count = 0u;
  for (var i = group.x * workgroupSize + thread; i < params.words; i += params.groups * workgroupSize) {
    let word = x[i];
    if (adding) {
      count += word;
    } else if (halves) {
      if ((word & 0x7c00u) == 0x7c00u) { count++; }
      if ((word & 0x7c000000u) == 0x7c000000u && 2u * i + 1u < params.elements) { count++; }
    } else if ((word & 0x7f800000u) == 0x7f800000u) {
      count++;
    }
  }
  sums[thread] = count;
  workgroupBarrier();
  for (var half = workgroupSize / 2u; half > 0u; half /= 2u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0u) { counts[params.firstCount + group.x] = sums[0]; }
}

// sums[i] += offsets[i / 2048], saturating at 2^32 - 1: the second half of a prefix sum over several blocks.
override workgroupSize: u32 = 256;
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> offsets: array<u32>;     // [blocks + 1]
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;  // [count]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  let sum = sums[index] + offsets[index / 2048u];
  sums[index] = select(sum, 0xffffffffu, sum < sums[index]);
}

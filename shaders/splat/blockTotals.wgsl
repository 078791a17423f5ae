// totals[b] = sum of the values of block b, 2,048 of them: the first half of a prefix sum over several blocks. One workgroup a block, 8
// values an invocation.
override gathered: bool = false; // values[order[i]] instead of values[i]
override ofBits: bool = false;   // bits set in values[i] instead of values[i]
struct Params { count: u32, blocks: u32 }
@group(0) @binding(0) var<storage, read> values: array<u32>;        // [count]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [count], where gathered
@group(0) @binding(2) var<storage, read_write> totals: array<u32>;  // [blocks]
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> partial: array<u32, 256>;

// include "splat/saturatingAdd"

fn valueAt(index: u32) -> u32 {
  if (index >= params.count) { return 0u; }
  if (ofBits) { return countOneBits(values[index]); }
  if (gathered) { return values[order[index]]; }
  return values[index];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  var own = 0u;
  for (var i = 0u; i < 8u; i++) { own = add(own, valueAt(block * 2048u + i * 256u + local)); }
  partial[local] = own;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { partial[local] = add(partial[local], partial[local + half]); }
  }
  if (local == 0u && block < params.blocks) { totals[block] = partial[0]; }
}

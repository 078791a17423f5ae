// sums[i] = values[0] + ... + values[i - 1]; i runs to `count`, one past the last value. One workgroup a block of 2,048, 8 neighbouring
// values an invocation.
override gathered: bool = false; // values[order[i]] instead of values[i]
override summed: bool = false;   // before[b] = the sum of the blocks before b instead of the total of b
struct Params { count: u32, blocks: u32 }
@group(0) @binding(0) var<storage, read> values: array<u32>;        // [count]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [count], where gathered
@group(0) @binding(2) var<storage, read> before: array<u32>;        // [blocks], where there are several
@group(0) @binding(3) var<storage, read_write> sums: array<u32>;    // [count + 1]
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> partial: array<vec2u, 256>;

// include "splat/blockScan"

fn valueAt(index: u32) -> u32 {
  if (index >= params.count) { return 0u; }
  if (gathered) { return values[order[index]]; }
  return values[index];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  let first = (block * 256u + local) * 8u;
  var own = 0u;
  for (var i = 0u; i < 8u; i++) { own = add(own, valueAt(first + i)); }
  var sum = sumBefore(block, local, own);
  for (var i = first; i < first + 8u; i++) {
    if (i <= params.count) { sums[i] = sum; }
    sum = add(sum, valueAt(i));
  }
}

// The second part of a set (engine/kernels/mesh/bitSet.ts): members[words + g] = bits set in the words before 8 g; g runs to one past the last
// eight. One workgroup a block of 2,048 words, 8 an invocation.
override summed: bool = false; // before[b] = the bits of the blocks before b instead of those of b
struct Params { words: u32, blocks: u32 }
@group(0) @binding(0) var<storage, read> before: array<u32>;           // [blocks], where there are several
@group(0) @binding(1) var<storage, read_write> members: array<u32>;    // [words + ceil(words / 8) + 1]
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partial: array<vec2u, 256>;

// include "splat/blockScan"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  let eight = block * 256u + local;
  var own = 0u;
  for (var w = eight * 8u; w < min(eight * 8u + 8u, params.words); w++) { own += countOneBits(members[w]); }
  let sum = sumBefore(block, local, own);
  if (eight <= (params.words + 7u) / 8u) { members[params.words + eight] = sum; }
}

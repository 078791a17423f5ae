// Bits of the members of a set whose SDF is negative (0 and NaN are outside). One invocation a word.
override workgroupSize: u32 = 64;
struct Params { words: u32 }
@group(0) @binding(0) var<storage, read> members: array<u32>;            // a set
@group(0) @binding(1) var<storage, read> sdf: array<f32>;                // [>= members]
@group(0) @binding(2) var<storage, read_write> inside: array<u32>;       // [words]
@group(0) @binding(3) var<uniform> params: Params;

// include "mesh/bitSet"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let w = id.x + id.y * groups.x * workgroupSize;
  if (w >= params.words) { return; }
  var rank = rankOf(w * 32u);
  var bits = 0u;
  for (var word = members[w]; word != 0u; word &= word - 1u) {
    if (sdf[rank] < 0.0) { bits |= word & (~word + 1u); }
    rank += 1u;
  }
  inside[w] = bits;
}

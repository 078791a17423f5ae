// ids[rank] = the members of a set, ascending. One invocation a word.
override workgroupSize: u32 = 64;
struct Params { words: u32 }
@group(0) @binding(0) var<storage, read> members: array<u32>;     // a set
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;   // [members]
@group(0) @binding(2) var<uniform> params: Params;

// include "mesh/bitSet"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let w = id.x + id.y * groups.x * workgroupSize;
  if (w >= params.words) { return; }
  var word = members[w];
  if (word == 0u) { return; }
  for (var rank = rankOf(w * 32u); word != 0u; rank++) {
    ids[rank] = w * 32u + firstTrailingBit(word);
    word &= word - 1u;
  }
}

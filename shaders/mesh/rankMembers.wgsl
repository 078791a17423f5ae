// ranks[i] = position of ids[i] among the members of a set, or rows[position]; `absent` where it is none. One invocation an id.
override workgroupSize: u32 = 64;
override hasRows: bool = false;
struct Params { count: u32, words: u32 }
@group(0) @binding(0) var<storage, read> ids: array<u32>;                // [count]
@group(0) @binding(1) var<storage, read> members: array<u32>;            // a set
@group(0) @binding(2) var<storage, read> rows: array<u32>;               // [members], where hasRows
@group(0) @binding(3) var<storage, read_write> ranks: array<u32>;        // [count]
@group(0) @binding(4) var<uniform> params: Params;

// include "mesh/bitSet"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * workgroupSize;
  if (i >= params.count) { return; }
  var rank = 0xffffffffu;
  if (isMember(ids[i])) {
    rank = rankOf(ids[i]);
    if (hasRows) { rank = rows[rank]; }
  }
  ranks[i] = rank;
}

// members[rank] = the numbers in a set, ascending. One invocation a word.
override workgroupSize: u32 = 64;
struct Params { words: u32 }
@group(0) @binding(0) var<storage, read> bits: array<vec2<u32>>;       // [words] bits, members before
@group(0) @binding(1) var<storage, read_write> members: array<u32>;   // [members]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let w = id.x + id.y * groups.x * workgroupSize;
  if (w >= params.words) { return; }
  var rank = bits[w].y;
  for (var word = bits[w].x; word != 0u; word &= word - 1u) {
    members[rank] = w * 32u + firstTrailingBit(word);
    rank += 1u;
  }
}

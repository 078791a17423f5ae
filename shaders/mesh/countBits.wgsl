// counts[w] = number of bits set in words[w]. One invocation a word.
override workgroupSize: u32 = 64;
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> words: array<u32>;          // [count]
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;   // [count]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let w = id.x + id.y * groups.x * workgroupSize;
  if (w < params.count) { counts[w] = countOneBits(words[w]); }
}

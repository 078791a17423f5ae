// ranked[w] = (words[w], ranks[w]): a set of numbers as bits, with the members before every word. One invocation a word.
override workgroupSize: u32 = 64;
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> words: array<u32>;               // [count]
@group(0) @binding(1) var<storage, read> ranks: array<u32>;               // [>= count]
@group(0) @binding(2) var<storage, read_write> ranked: array<vec2<u32>>;  // [count]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let w = id.x + id.y * groups.x * workgroupSize;
  if (w < params.count) { ranked[w] = vec2u(words[w], ranks[w]); }
}

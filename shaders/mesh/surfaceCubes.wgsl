// Bits of the cubes that have corners inside and outside. One invocation a word.
override workgroupSize: u32 = 64;
struct Params { words: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> inside: array<u32>;             // bits of (r + 1)^3
@group(0) @binding(1) var<storage, read_write> cubes: array<u32>;        // [words] bits of r^3
@group(0) @binding(2) var<uniform> params: Params;

// include "mesh/caseOfCube"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let w = id.x + id.y * groups.x * workgroupSize;
  if (w >= params.words) { return; }
  let size = params.resolution * params.resolution * params.resolution;
  var bits = 0u;
  for (var bit = 0u; bit < 32u && w * 32u + bit < size; bit++) {
    let found = caseOfCube(w * 32u + bit);
    if (found != 0u && found != 255u) { bits |= 1u << bit; }
  }
  cubes[w] = bits;
}

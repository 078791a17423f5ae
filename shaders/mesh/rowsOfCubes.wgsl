// rows[rank of cube (x, y, z)] = its row in coords. Rows outside the grid write nothing. One invocation a row; every cube stands in coords
// once.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32, words: u32 }
@group(0) @binding(0) var<storage, read> coords: array<i32>;             // [count, 3]
@group(0) @binding(1) var<storage, read> members: array<u32>;            // the set of these cubes
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;         // [count]
@group(0) @binding(3) var<uniform> params: Params;

// include "mesh/bitSet"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.x + id.y * groups.x * workgroupSize;
  if (row >= params.count) { return; }
  let r = params.resolution;
  let at = vec3u(vec3i(coords[row * 3u], coords[row * 3u + 1u], coords[row * 3u + 2u]));
  if (any(at >= vec3u(r))) { return; } // negative ones wrap
  rows[rankOf((at.x * r + at.y) * r + at.z)] = row;
}

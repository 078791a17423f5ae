// Sets the bits of the vertices whose mean SDF is negative (0 and NaN are outside):
// mean = (sum over active cubes with corner c at the vertex of (sdf[row, c] + sdfBias)) / cubes  (+ added[row, c] of any of them)
// Terms are added in the order of the rows, as the official scatter does on a CPU. One invocation a row and corner; of the cubes at a vertex
// the one for which it is the lowest corner computes.
override workgroupSize: u32 = 64;
override hasAdded: bool = false;
struct Params { count: u32, resolution: u32, words: u32, columns: u32, sdfBias: f32 }
@group(0) @binding(0) var<storage, read> coords: array<i32>;                  // [count, 3]
@group(0) @binding(1) var<storage, read> members: array<u32>;                 // the set of these cubes
@group(0) @binding(2) var<storage, read> rows: array<u32>;                    // [count] row of every one of them in ascending order
@group(0) @binding(3) var<storage, read> sdf: array<f32>;                     // [count, columns], in the first 8
@group(0) @binding(4) var<storage, read> added: array<f32>;                   // [count, 8], where hasAdded
@group(0) @binding(5) var<storage, read_write> inside: array<atomic<u32>>;    // bits of (r + 1)^3
@group(0) @binding(6) var<uniform> params: Params;

var<private> entries: array<u32, 8>;

// include "mesh/bitSet"
// include "mesh/cubesAtVertex"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  let corner = index / params.count; // neighbours do the same: inside a solid all of corner 0 and none of the others compute
  let row = index % params.count;
  if (corner >= 8u) { return; }
  let at = vec3u(vec3i(coords[row * 3u], coords[row * 3u + 1u], coords[row * 3u + 2u]));
  if (any(at >= vec3u(params.resolution))) { return; } // negative ones wrap
  let p = at + ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
  for (var lower = 0u; lower < corner; lower++) {
    if (activeCubeAt(p, lower) != 0xffffffffu) { return; }
  }
  let count = findCubes(p);
  var sum = 0.0;
  for (var i = 0u; i < count; i++) { sum += sdf[(entries[i] >> 3u) * params.columns + (entries[i] & 7u)] + params.sdfBias; }
  sum = sum / f32(count);
  if (hasAdded) { sum += added[entries[0]]; }
  if (sum < 0.0) {
    let side = params.resolution + 1u;
    let vertex = (p.x * side + p.y) * side + p.z;
    atomicOr(&inside[vertex / 32u], 1u << (vertex % 32u));
  }
}

// corners[s] = places of the cube's corners among the surface's vertices; duals[first + loop] = (s, edges of the loop);
// caseAndFirst[s] = (case, first), first = loops before in the order of number of loops, cube, loop. Tables: words 1..4 of a case are the
// edges of its loops, masks of 12 bits. One invocation a cube of the surface.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32, words: u32 }
@group(0) @binding(0) var<storage, read> cubeIds: array<u32>;                 // [count]
@group(0) @binding(1) var<storage, read> cubes: array<u32>;                   // [count] case | case as it was << 8
@group(0) @binding(2) var<storage, read> loopsBefore: array<u32>;             // [4 * count + 1]
@group(0) @binding(3) var<storage, read> members: array<u32>;                 // the set of the surface's vertices
@group(0) @binding(4) var<storage, read> tables: array<u32>;                  // [256, 8]
@group(0) @binding(5) var<storage, read_write> corners: array<u32>;           // [count, 8]
@group(0) @binding(6) var<storage, read_write> duals: array<vec2<u32>>;       // [duals]
@group(0) @binding(7) var<storage, read_write> caseAndFirst: array<vec2<u32>>; // [count]
@group(0) @binding(8) var<uniform> params: Params;

// include "mesh/bitSet"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let s = id.x + id.y * groups.x * workgroupSize;
  if (s >= params.count) { return; }
  let r = params.resolution;
  let at = vec3u(cubeIds[s] / (r * r), cubeIds[s] / r % r, cubeIds[s] % r);
  for (var corner = 0u; corner < 8u; corner++) {
    let p = at + ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    corners[s * 8u + corner] = rankOf((p.x * (r + 1u) + p.y) * (r + 1u) + p.z);
  }
  let found = cubes[s] & 255u;
  let loops = tables[found * 8u] & 255u;
  var first = 0u;
  if (loops > 0u) { first = loopsBefore[(loops - 1u) * params.count + s]; }
  caseAndFirst[s] = vec2u(found, first);
  for (var l = 0u; l < loops; l++) { duals[first + l] = vec2u(s, tables[found * 8u + 1u + l]); }
}

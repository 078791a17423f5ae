// cubes[s] = case | case as it was << 8, and the bits of its corners; loops[group, s] = loops of the case where it has group + 1 of them
// A flagged case whose neighbour across its ambiguous face is flagged too becomes its complement; both are looked up as they were.
// Tables: word 0 of a case has its loops in bits 0..7, its ambiguous face (2 * axis + side; 255 none) in bits 8..15. One invocation a
// cube of the surface.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> cubeIds: array<u32>;                 // [count] cubes of the surface, ascending
@group(0) @binding(1) var<storage, read> inside: array<u32>;                  // bits of (r + 1)^3
@group(0) @binding(2) var<storage, read> tables: array<u32>;                  // [256, 8]
@group(0) @binding(3) var<storage, read_write> cubes: array<u32>;             // [count]
@group(0) @binding(4) var<storage, read_write> loops: array<u32>;             // [4, count]
@group(0) @binding(5) var<storage, read_write> vertices: array<atomic<u32>>;  // bits of (r + 1)^3
@group(0) @binding(6) var<uniform> params: Params;

// include "mesh/caseOfCube"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let s = id.x + id.y * groups.x * workgroupSize;
  if (s >= params.count) { return; }
  let r = params.resolution;
  let cube = cubeIds[s];
  let at = vec3u(cube / (r * r), cube / r % r, cube % r);
  let original = caseOfCube(cube);
  var found = original;
  let face = (tables[found * 8u] >> 8u) & 255u;
  if (face != 255u) {
    var neighbour = at;
    neighbour[face / 2u] += (face & 1u) * 2u - 1u;
    if (all(neighbour < vec3u(r))) { // below 0 wraps
      let other = caseOfCube((neighbour.x * r + neighbour.y) * r + neighbour.z);
      if (((tables[other * 8u] >> 8u) & 255u) != 255u) { found = 255u - found; }
    }
  }
  cubes[s] = found | (original << 8u);
  let loopsOfCase = tables[found * 8u] & 255u;
  for (var group = 0u; group < 4u; group++) { loops[group * params.count + s] = select(0u, loopsOfCase, loopsOfCase == group + 1u); }
  for (var corner = 0u; corner < 8u; corner++) {
    let p = at + ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    let vertex = (p.x * (r + 1u) + p.y) * (r + 1u) + p.z;
    atomicOr(&vertices[vertex / 32u], 1u << (vertex % 32u));
  }
}

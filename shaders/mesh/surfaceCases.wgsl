// cubes[s] = case | case as it was << 8; loops[group, s] = loops of the case where it has group + 1 of them. One invocation a cube of the
// surface.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> cubeIds: array<u32>;                 // [count] cubes of the surface, ascending
@group(0) @binding(1) var<storage, read> inside: array<u32>;                  // bits of (r + 1)^3
@group(0) @binding(2) var<storage, read> tables: array<u32>;                  // [256, 8]
@group(0) @binding(3) var<storage, read_write> cubes: array<u32>;             // [count]
@group(0) @binding(4) var<storage, read_write> loops: array<u32>;             // [4, count]
@group(0) @binding(5) var<uniform> params: Params;

// include "mesh/caseOfCube"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let s = id.x + id.y * groups.x * workgroupSize;
  if (s >= params.count) { return; }
  let original = caseOfCube(cubeIds[s]);
  let found = resolvedCase(cubeIds[s], original);
  cubes[s] = found | (original << 8u);
  let loopsOfCase = tables[found * 8u] & 255u;
  for (var group = 0u; group < 4u; group++) { loops[group * params.count + s] = select(0u, loopsOfCase, loopsOfCase == group + 1u); }
}

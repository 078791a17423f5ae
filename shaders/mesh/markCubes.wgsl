// Sets bit (x r + y) r + z of `cubes` for every row of coords. Rows outside the grid set nothing. Or-ing bits needs no order. One
// invocation a row.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> coords: array<i32>;                      // [count, 3]
@group(0) @binding(1) var<storage, read_write> cubes: array<atomic<u32>>;         // bits of r^3
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.x + id.y * groups.x * workgroupSize;
  if (row >= params.count) { return; }
  let r = params.resolution;
  let at = vec3u(vec3i(coords[row * 3u], coords[row * 3u + 1u], coords[row * 3u + 2u]));
  if (any(at >= vec3u(r))) { return; } // negative ones wrap
  let cube = (at.x * r + at.y) * r + at.z;
  atomicOr(&cubes[cube / 32u], 1u << (cube % 32u));
}

// rows[rank of cube (x, y, z)] = its row in coords. One invocation a row; every cube stands in coords once.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> coords: array<i32>;             // [count, 3]
@group(0) @binding(1) var<storage, read> cubes: array<vec2<u32>>;        // bits of r^3, members before
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;         // [count]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.x + id.y * groups.x * workgroupSize;
  if (row >= params.count) { return; }
  let at = vec3u(vec3i(coords[row * 3u], coords[row * 3u + 1u], coords[row * 3u + 2u]));
  let cube = (at.x * params.resolution + at.y) * params.resolution + at.z;
  let word = cubes[cube / 32u];
  rows[word.y + countOneBits(word.x & ((1u << (cube % 32u)) - 1u))] = row;
}

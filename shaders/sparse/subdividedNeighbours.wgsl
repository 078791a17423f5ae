// y[8 i + child, tap] = the child of x[i, parentTap] that stands at the child's neighbour `tap`, -1 where x has none.
// Both count taps as kd * 9 + kh * 3 + kw, children as dx * 4 + dy * 2 + dz; every voxel of x was split into eight. One invocation an
// entry.
override workgroupSize: u32 = 64;
struct Params { entries: u32 }                                        // of y
@group(0) @binding(0) var<storage, read> x: array<i32>;               // [voxels, 27]
@group(0) @binding(1) var<storage, read_write> y: array<i32>;         // [8 * voxels, 27]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.entries) { return; }
  let row = index / 27u;
  let tap = index - row * 27u;
  // Place of the neighbour in the parents' 3 x 3 x 3 blocks of 2 x 2 x 2, the parent's own block at 2 and 3.
  let place = ((vec3u(row) >> vec3u(2u, 1u, 0u)) & vec3u(1u)) + vec3u(tap / 9u, tap / 3u % 3u, tap % 3u) + 1u;
  let parent = x[row / 8u * 27u + dot(place / 2u, vec3u(9u, 3u, 1u))];
  y[index] = select(parent * 8 + i32(dot(place % 2u, vec3u(4u, 2u, 1u))), -1, parent < 0);
}

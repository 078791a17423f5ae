// y[child, i, corner] = x[i, tap]: the eight voxels that the neighbours of a child of voxel i stand in. Corner (a, b, c) of child
// (dx, dy, dz) is the voxel at i + (dx - 1 + a, dy - 1 + b, dz - 1 + c). One invocation an entry.
override workgroupSize: u32 = 64;
struct Params { entries: u32, childStride: u32, firstChild: u32, children: u32 } // of the children that y shows
@group(0) @binding(0) var<storage, read> x: array<i32>;               // [voxels, 27]
@group(0) @binding(1) var<storage, read_write> y: array<i32>;         // [children, childStride], of which [voxels, 8] are used
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.entries) { return; }
  let shown = index % params.children;
  let child = params.firstChild + shown;
  let corner = index / params.children % 8u;
  let row = index / params.children / 8u;
  let bits = vec3u(2u, 1u, 0u);
  let place = ((vec3u(child) >> bits) & vec3u(1u)) + ((vec3u(corner) >> bits) & vec3u(1u)); // 0, 1, 2 along each axis
  y[shown * params.childStride + row * 8u + corner] = x[row * 27u + dot(place, vec3u(9u, 3u, 1u))];
}

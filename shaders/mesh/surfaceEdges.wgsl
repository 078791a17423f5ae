// quads[sign, u, k] = 1 where the edge k of the surface's vertex u is crossed and has four cubes; sign 0: the vertex' SDF is positive, 1: not
// quads[2, u, k] = 1 where the edge is crossed at all. The edges of a vertex, so that their other ends ascend: -y, +z, +x. One invocation a vertex and edge.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32, channels: u32 }
@group(0) @binding(0) var<storage, read> vertexIds: array<u32>;          // [count]
@group(0) @binding(1) var<storage, read> inside: array<u32>;             // bits of (r + 1)^3
@group(0) @binding(2) var<storage, read> points: array<f32>;             // [count, channels] x y z sdf ...
@group(0) @binding(3) var<storage, read_write> quads: array<u32>;        // [3, count, 3]
@group(0) @binding(4) var<uniform> params: Params;

fn isInside(vertex: u32) -> bool {
  return ((inside[vertex / 32u] >> (vertex % 32u)) & 1u) == 1u;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count * 3u) { return; }
  let u = index / 3u;
  let axis = (index - u * 3u + 1u) % 3u; // y, z, x
  let r = params.resolution;
  let side = r + 1u;
  let vertex = vertexIds[u];
  var at = vec3u(vertex / (side * side), vertex / side % side, vertex % side);
  let strides = vec3u(side * side, side, 1u);
  var crossed = false;
  if (axis == 1u) {
    if (at.y > 0u) { crossed = isInside(vertex - side) != isInside(vertex); }
  } else if (at[axis] < r) {
    crossed = isInside(vertex + strides[axis]) != isInside(vertex);
  }
  at[axis] = 1u;
  let isQuad = crossed && all(at > vec3u(0u)) && all(at < vec3u(r) + select(vec3u(0u), vec3u(2u), vec3u(0u, 1u, 2u) == vec3u(axis)));
  let positive = points[u * params.channels + 3u] > 0.0;
  quads[index] = u32(isQuad && positive);
  quads[params.count * 3u + index] = u32(isQuad && !positive);
  quads[params.count * 6u + index] = u32(crossed);
}

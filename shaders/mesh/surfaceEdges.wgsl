// flags[u], bit k: the edge k of the surface's vertex u is crossed and has four cubes, and the vertex' SDF is positive; bit 3 + k: the same,
// and it is not; bit 6 + k: the edge is crossed at all. counts[sign, u]: quads of bits 3 sign .. 3 sign + 2. The edges of a vertex, so that
// their other ends ascend: -y, +z, +x. One invocation a vertex.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32, channels: u32 }
@group(0) @binding(0) var<storage, read> vertexIds: array<u32>;          // [count]
@group(0) @binding(1) var<storage, read> inside: array<u32>;             // bits of (r + 1)^3
@group(0) @binding(2) var<storage, read> points: array<f32>;             // [count, channels] x y z sdf ...
@group(0) @binding(3) var<storage, read_write> flags: array<u32>;        // [count]
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;       // [2, count]
@group(0) @binding(5) var<uniform> params: Params;

fn isInside(vertex: u32) -> bool {
  return ((inside[vertex / 32u] >> (vertex % 32u)) & 1u) == 1u;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let u = id.x + id.y * groups.x * workgroupSize;
  if (u >= params.count) { return; }
  let r = params.resolution;
  let side = r + 1u;
  let vertex = vertexIds[u];
  let at = vec3u(vertex / (side * side), vertex / side % side, vertex % side);
  let here = isInside(vertex);
  var crossed = 0u;
  if (at.y > 0u && isInside(vertex - side) != here) { crossed |= 1u; }
  if (at.z < r && isInside(vertex + 1u) != here) { crossed |= 2u; }
  if (at.x < r && isInside(vertex + side * side) != here) { crossed |= 4u; }
  // Four cubes: the coordinates beside the edge are not on the grid's border.
  let within = (at > vec3u(0u)) & (at < vec3u(r));
  let quads = crossed & (select(0u, 1u, within.x && within.z) | select(0u, 2u, within.x && within.y) | select(0u, 4u, within.y && within.z));
  let positive = points[u * params.channels + 3u] > 0.0;
  flags[u] = (crossed << 6u) | (quads << select(3u, 0u, positive));
  counts[u] = select(0u, countOneBits(quads), positive);
  counts[params.count + u] = select(countOneBits(quads), 0u, positive);
}

// Two triangles for every quad of surfaceEdges: its four cubes in the order of their ids are 0, 1, 2, 3; around the edge they stand as
// 0, 1, 3, 2, or as 2, 3, 1, 0 where the edge's first end is not positive. Split along the diagonal with the larger product of gammas.
// Tables: words 5 and 6 of a case hold the loop of every edge in four bits. One invocation a vertex.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32, words: u32, gammas: u32 }
@group(0) @binding(0) var<storage, read> quadsBefore: array<u32>;           // [2 * count + 1]
@group(0) @binding(1) var<storage, read> flags: array<u32>;                 // [count]
@group(0) @binding(2) var<storage, read> vertexIds: array<u32>;             // [count]
@group(0) @binding(3) var<storage, read> members: array<u32>;               // the set of the surface's cubes
@group(0) @binding(4) var<storage, read> caseAndFirst: array<vec2<u32>>;    // [cubes]
@group(0) @binding(5) var<storage, read> tables: array<u32>;                // [256, 8]
@group(0) @binding(6) var<storage, read> duals: array<f32>;                 // gamma of each from `gammas` on
@group(0) @binding(7) var<storage, read_write> faces: array<u32>;           // [quads, 6]
@group(0) @binding(8) var<uniform> params: Params;

// include "mesh/bitSet"

// The cube's edge that starts at a corner in the direction of an axis; [axis, corner].
const edgeAlong = array<u32, 24>(0, 15, 4, 15, 2, 15, 6, 15, 8, 9, 15, 15, 11, 10, 15, 15, 3, 1, 7, 5, 15, 15, 15, 15);

fn writeQuad(quad: u32, vertex: u32, axis: u32, positive: bool) {
  let r = params.resolution;
  let side = r + 1u;
  var at = vec3u(vertex / (side * side), vertex / side % side, vertex % side);
  if (axis == 1u) { at.y -= 1u; } // the lower end
  let u = select(0u, 1u, axis == 0u);
  let v = select(1u, 2u, axis < 2u);
  var around = vec4u();
  for (var k = 0u; k < 4u; k++) {
    let corner = (((k >> 1u) ^ 1u) << u) | (((k & 1u) ^ 1u) << v); // of the lower end in cube k
    let p = at - ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    let found = caseAndFirst[rankOf((p.x * r + p.y) * r + p.z)];
    let e = edgeAlong[axis * 8u + corner];
    around[k] = found.y + ((tables[found.x * 8u + 5u + e / 8u] >> (e % 8u * 4u)) & 15u);
  }
  let q = select(around.zwyx, around.xywz, positive);
  let gamma = vec4f(duals[params.gammas + q.x], duals[params.gammas + q.y], duals[params.gammas + q.z], duals[params.gammas + q.w]);
  let alongXZ = gamma.x * gamma.z > gamma.y * gamma.w;
  let first = quad * 6u;
  faces[first] = q.x;
  faces[first + 1u] = q.y;
  faces[first + 2u] = select(q.w, q.z, alongXZ);
  faces[first + 3u] = select(q.w, q.x, alongXZ);
  faces[first + 4u] = select(q.y, q.z, alongXZ);
  faces[first + 5u] = select(q.z, q.w, alongXZ);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let u = id.x + id.y * groups.x * workgroupSize;
  if (u >= params.count) { return; }
  for (var sign = 0u; sign < 2u; sign++) {
    var quads = (flags[u] >> (3u * sign)) & 7u;
    if (quads == 0u) { continue; }
    for (var quad = quadsBefore[sign * params.count + u]; quads != 0u; quad++) {
      writeQuad(quad, vertexIds[u], (firstTrailingBit(quads) + 1u) % 3u, sign == 0u); // y, z, x
      quads &= quads - 1u;
    }
  }
}

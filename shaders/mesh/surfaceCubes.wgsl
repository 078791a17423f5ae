// Bits of the cubes that have corners inside and outside, and of their corners; sizes += (loops of their cases, quads around edges)
// A quad belongs to the cube at the upper end of the four around its edge, whose corner 0 is the edge's lower end: along an axis the cube
// has one where that edge is crossed and its other two coordinates are not 0. Sums of whole numbers need no order. One invocation a word,
// which looks at the cubes of a row of the grid together: 32 vertices of the four rows around them at a time.
override workgroupSize: u32 = 64;
struct Params { words: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> inside: array<u32>;                  // bits of (r + 1)^3
@group(0) @binding(1) var<storage, read> tables: array<u32>;                  // [256, 8]
@group(0) @binding(2) var<storage, read_write> cubes: array<u32>;             // [words] bits of r^3
@group(0) @binding(3) var<storage, read_write> vertices: array<atomic<u32>>;  // bits of (r + 1)^3
@group(0) @binding(4) var<storage, read_write> sizes: array<atomic<u32>>;     // [2]
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> loops: atomic<u32>;
var<workgroup> quads: atomic<u32>;

// include "mesh/caseOfCube"

// Bits of 32 vertices from `vertex` on; what lies behind the grid's last is anything.
fn insideFrom(vertex: u32) -> u32 {
  let word = vertex / 32u;
  let low = inside[word] >> (vertex % 32u);
  if (vertex % 32u == 0u) { return low; }
  return low | (inside[min(word + 1u, arrayLength(&inside) - 1u)] << (32u - vertex % 32u));
}

fn quadsOfCube(at: vec3u, found: u32) -> u32 {
  let crossed = ((vec3u(found) >> vec3u(1u, 2u, 4u)) & vec3u(1u)) != vec3u(found & 1u);
  let positive = at > vec3u(0u);
  return u32(crossed.x && positive.y && positive.z) + u32(crossed.y && positive.x && positive.z) + u32(crossed.z && positive.x && positive.y);
}

fn markCorners(at: vec3u) {
  for (var corner = 0u; corner < 8u; corner++) {
    let p = at + ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    let vertex = (p.x * (params.resolution + 1u) + p.y) * (params.resolution + 1u) + p.z;
    atomicOr(&vertices[vertex / 32u], 1u << (vertex % 32u));
  }
}

// Bits of the cubes `first` .. `first + count - 1` of a row of the grid.
fn cubesOfRow(first: u32, count: u32) -> u32 {
  let r = params.resolution;
  let at = vec3u(first / (r * r), first / r % r, first % r);
  var corners = array<u32, 8>(); // bits of the corner of each of these cubes
  var some = 0u;
  var all = 0xffffffffu;
  for (var corner = 0u; corner < 8u; corner++) {
    let p = at + ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    corners[corner] = insideFrom((p.x * (r + 1u) + p.y) * (r + 1u) + p.z);
    some |= corners[corner];
    all &= corners[corner];
  }
  let mixed = some & ~all & (0xffffffffu >> (32u - count));
  for (var left = mixed; left != 0u; left &= left - 1u) {
    let k = firstTrailingBit(left);
    var found = 0u;
    for (var corner = 0u; corner < 8u; corner++) { found |= ((corners[corner] >> k) & 1u) << corner; }
    atomicAdd(&loops, tables[resolvedCase(first + k, found) * 8u] & 255u);
    atomicAdd(&quads, quadsOfCube(at + vec3u(0u, 0u, k), found));
    markCorners(at + vec3u(0u, 0u, k));
  }
  return mixed;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let w = id.x + id.y * groups.x * workgroupSize;
  let r = params.resolution;
  if (w < params.words) {
    var bits = 0u;
    let end = min(w * 32u + 32u, r * r * r);
    for (var first = w * 32u; first < end;) {
      let count = min(end - first, r - first % r);
      bits |= cubesOfRow(first, count) << (first % 32u);
      first += count;
    }
    cubes[w] = bits;
  }
  workgroupBarrier();
  if (local == 0u && atomicLoad(&loops) > 0u) {
    atomicAdd(&sizes[0], atomicLoad(&loops));
    atomicAdd(&sizes[1], atomicLoad(&quads));
  }
}

// y[v] = the active cubes at a vertex as 8 * row + corner, ascending, `absent` after the last. One invocation a vertex.
override workgroupSize: u32 = 64;
struct Params { count: u32, resolution: u32 }
@group(0) @binding(0) var<storage, read> vertexIds: array<u32>;          // [count]
@group(0) @binding(1) var<storage, read> cubes: array<vec2<u32>>;        // bits of r^3, members before
@group(0) @binding(2) var<storage, read> rows: array<u32>;               // row of every cube in ascending order
@group(0) @binding(3) var<storage, read_write> y: array<u32>;            // [count, 8]
@group(0) @binding(4) var<uniform> params: Params;

const absent = 0xffffffffu;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let v = id.x + id.y * groups.x * workgroupSize;
  if (v >= params.count) { return; }
  let r = params.resolution;
  let side = r + 1u;
  let at = vec3u(vertexIds[v] / (side * side), vertexIds[v] / side % side, vertexIds[v] % side);
  var found = array<u32, 8>();
  var count = 0u;
  for (var corner = 0u; corner < 8u; corner++) {
    let p = at - ((vec3u(corner) >> vec3u(0u, 1u, 2u)) & vec3u(1u));
    if (any(p >= vec3u(r))) { continue; } // below 0 wraps
    let cube = (p.x * r + p.y) * r + p.z;
    let word = cubes[cube / 32u];
    if (((word.x >> (cube % 32u)) & 1u) == 0u) { continue; }
    let entry = rows[word.y + countOneBits(word.x & ((1u << (cube % 32u)) - 1u))] * 8u + corner;
    var to = count;
    while (to > 0u && found[to - 1u] > entry) {
      found[to] = found[to - 1u];
      to -= 1u;
    }
    found[to] = entry;
    count += 1u;
  }
  for (var i = 0u; i < 8u; i++) { y[v * 8u + i] = select(absent, found[i], i < count); }
}

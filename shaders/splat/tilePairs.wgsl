// Writes a (tile, Gaussian) pair for every tile that a Gaussian is drawn in, Gaussians in the order given: nearest first. One invocation
// a Gaussian.
override workgroupSize: u32 = 64;
struct Params { count: u32, tilesAcross: u32 }
@group(0) @binding(0) var<storage, read> order: array<u32>;          // [count]
@group(0) @binding(1) var<storage, read> offsets: array<u32>;        // [count + 1] first pair of the i-th in order
@group(0) @binding(2) var<storage, read> rectangles: array<vec4u>;   // [count] x0, y0, x1, y1
@group(0) @binding(3) var<storage, read_write> tiles: array<u32>;    // [>= pairs]
@group(0) @binding(4) var<storage, read_write> members: array<u32>;  // [>= pairs]
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  var next = offsets[index];
  if (offsets[index + 1u] == next) { return; }
  let gaussian = order[index];
  let rectangle = rectangles[gaussian];
  for (var y = rectangle.y; y < rectangle.w; y++) {
    for (var x = rectangle.x; x < rectangle.z; x++) {
      tiles[next] = y * params.tilesAcross + x;
      members[next] = gaussian;
      next++;
    }
  }
}

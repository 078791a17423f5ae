// points[u] = (position, sdf, sigmoid(colours)) of grid vertex u
// A vertex without an active cube has sdf 1, deform 0 and colours 0. One invocation per vertex.
override workgroupSize: u32 = 64;

struct Params {
  channels: u32,     // of means and points: 4, or 10 with colours
  count: u32,        // U
  vertices: u32,     // V
  resolution: u32,   // r
}

@group(0) @binding(0) var<storage, read> vertexIds: array<u32>;        // [U] (x (r + 1) + y) (r + 1) + z
@group(0) @binding(1) var<storage, read> vertexRows: array<u32>;       // [U] column of means, or absent
@group(0) @binding(2) var<storage, read> means: array<f32>;            // [channels, V] sdf, deform 3, colours 6
@group(0) @binding(3) var<storage, read_write> points: array<f32>;     // [U, channels] x y z sdf colours
@group(0) @binding(4) var<uniform> params: Params;

const absent: u32 = 0xffffffffu;

// include "mesh/deformedPoint"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let u = id.y * groups.x * workgroupSize + id.x;
  if (u >= params.count) { return; }
  let vertex = vertexIds[u];
  let row = vertexRows[u];
  let side = params.resolution + 1u;
  let grid = vec3<u32>(vertex / (side * side), (vertex / side) % side, vertex % side);
  for (var k = 0u; k < params.channels; k++) {
    var value = 0.0;
    if (row != absent) { value = means[((k + 1u) & 3u) * params.vertices + row]; } // deform 1..3, then sdf 0
    if (k < 3u) {
      value = deformedCoordinate(grid[k], value);
    } else if (k == 3u) {
      value = select(1.0, value, row != absent);
    } else {
      if (row != absent) { value = means[k * params.vertices + row]; }
      value = logistic(value);
    }
    points[u * params.channels + k] = value;
  }
}

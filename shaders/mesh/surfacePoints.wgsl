// points[u] = (position, sdf, sigmoid(colours)) of vertex u of the surface, of the means over the active cubes around it:
// mean_k = (sum over those with corner c at the vertex of (features[row, column(k, c)] + bias_k)) / cubes  (+ added[row, c] of any for the SDF)
// Cube features hold corner by corner: sdf 8 | deform 8 x 3 | weights 21 | colours 8 x 6; bias is sdfBias for the SDF. A vertex without an
// active cube has sdf 1, deform 0 and colours 0. Terms are added in the order of the rows, as the official scatter does on a CPU.
// Features larger than one binding come in windows of rows: the first overwrites, each adds, the last divides. One invocation a vertex.
override workgroupSize: u32 = 64;
override hasAdded: bool = false;

struct Params {
  channels: u32,   // 4, or 10 with colours
  count: u32,      // U
  resolution: u32,
  words: u32,
  columns: u32,    // of features: 53 or 101
  firstRow: u32,   // of the window
  rowCount: u32,   // in the window
  isFirst: u32,
  isLast: u32,
  sdfBias: f32,
}

@group(0) @binding(0) var<storage, read> vertexIds: array<u32>;          // [U] (x (r + 1) + y) (r + 1) + z
@group(0) @binding(1) var<storage, read> members: array<u32>;            // the set of active cubes
@group(0) @binding(2) var<storage, read> rows: array<u32>;               // row of every one of them in ascending order
@group(0) @binding(3) var<storage, read> features: array<f32>;           // [rowCount, columns]
@group(0) @binding(4) var<storage, read> added: array<f32>;              // [rows, 8], where hasAdded
@group(0) @binding(5) var<storage, read_write> points: array<f32>;       // [U, channels] x y z sdf colours
@group(0) @binding(6) var<uniform> params: Params;

var<private> entries: array<u32, 8>;

// include "mesh/bitSet"
// include "mesh/cubesAtVertex"
// include "mesh/deformedPoint"

fn column(channel: u32, corner: u32) -> u32 {
  if (channel == 3u) { return corner; }
  if (channel < 3u) { return 8u + corner * 3u + channel; }
  return 53u + corner * 6u + channel - 4u;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let u = id.y * groups.x * workgroupSize + id.x;
  if (u >= params.count) { return; }
  let side = params.resolution + 1u;
  let grid = vec3u(vertexIds[u] / (side * side), vertexIds[u] / side % side, vertexIds[u] % side);
  let count = findCubes(grid);
  for (var k = 0u; k < params.channels; k++) {
    let bias = select(0.0, params.sdfBias, k == 3u);
    var sum = 0.0;
    if (params.isFirst == 0u) { sum = points[u * params.channels + k]; }
    for (var i = 0u; i < count; i++) {
      let inWindow = (entries[i] >> 3u) - params.firstRow; // wraps above `rowCount` for rows before the window
      if (inWindow < params.rowCount) { sum += features[inWindow * params.columns + column(k, entries[i] & 7u)] + bias; }
    }
    if (params.isLast != 0u) {
      if (count > 0u) { sum = sum / f32(count); }
      if (k < 3u) {
        sum = deformedCoordinate(grid[k], sum);
      } else if (k > 3u) {
        sum = logistic(sum);
      } else if (count == 0u) {
        sum = 1.0;
      } else if (hasAdded) {
        sum += added[entries[0]];
      }
    }
    points[u * params.channels + k] = sum;
  }
}

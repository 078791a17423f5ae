// means[k, v] = (sum over active cubes with corner c at vertex v of (features[row, column(k, c)] + bias_k)) / count_v  (+ added[v] for k = 0)
// Channels k: 0 the SDF (bias_0 = sdfBias), 1..3 the deformation, 4..9 the colours. Cube features hold them corner by corner:
// sdf 8 | deform 8 x 3 | weights 21 | colours 8 x 6. One invocation per (k, v); terms are added in the order of the rows, as the
// official scatter does on a CPU.
// Features larger than one binding come in windows of rows: the first overwrites, each adds, the last divides.
override workgroupSize: u32 = 64;
override hasAdded: bool = false;

struct Params {
  channels: u32,   // 4, or 10 with colours
  vertices: u32,   // V
  columns: u32,    // of features: 53 or 101
  firstRow: u32,   // of the window
  rows: u32,       // in the window
  isFirst: u32,
  isLast: u32,
  sdfBias: f32,
}

@group(0) @binding(0) var<storage, read> features: array<f32>;           // [rows, columns]
@group(0) @binding(1) var<storage, read> cubesOfVertex: array<u32>;      // [V, 8] 8 * row + corner, ascending; absent after the last
@group(0) @binding(2) var<storage, read> added: array<f32>;              // [V], where hasAdded
@group(0) @binding(3) var<storage, read_write> means: array<f32>;        // [channels, V]
@group(0) @binding(4) var<uniform> params: Params;

const absent: u32 = 0xffffffffu;

fn column(channel: u32, corner: u32) -> u32 {
  if (channel == 0u) { return corner; }
  if (channel < 4u) { return 8u + corner * 3u + channel - 1u; }
  return 53u + corner * 6u + channel - 4u;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index >= params.channels * params.vertices) { return; }
  let channel = index / params.vertices;
  let vertex = index - channel * params.vertices;
  let bias = select(0.0, params.sdfBias, channel == 0u);
  var sum = 0.0;
  if (params.isFirst == 0u) { sum = means[index]; }
  var count = 0.0;
  for (var i = 0u; i < 8u; i++) {
    let cube = cubesOfVertex[vertex * 8u + i];
    if (cube == absent) { break; }
    count += 1.0;
    let inWindow = (cube >> 3u) - params.firstRow; // wraps above `rows` for rows before the window
    if (inWindow < params.rows) { sum += features[inWindow * params.columns + column(channel, cube & 7u)] + bias; }
  }
  if (params.isLast != 0u) {
    sum = sum / count;
    if (hasAdded && channel == 0u) { sum += added[vertex]; }
  }
  means[index] = sum;
}

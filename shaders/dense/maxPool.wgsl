// y[image, i, j, c] = max of x[image, 2 i + a, 2 j + b, c] over a, b in {0, 1} that lie inside: 2 x 2 windows side by side, also half ones.
// One vector of channels a thread.
alias Element = f32; // or vec4 of f32 or f16; channels in vectors
override workgroupSize: u32 = 64;
struct Params {
  elements: u32,       // of y
  height: u32, width: u32, // of x
  channels: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Element>;            // [images, height, width, channels]
@group(0) @binding(1) var<storage, read_write> y: array<Element>;      // [images, ceil(height / 2), ceil(width / 2), channels]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (at >= params.elements) { return; }
  let half = (vec2u(params.height, params.width) + 1u) / 2u;
  let c = at % params.channels;
  let pixel = at / params.channels;
  let column = pixel % half.y * 2u;
  let row = pixel / half.y % half.x * 2u;
  let first = pixel / (half.x * half.y) * params.height;
  // A window's last row and column where it has only one: looked at twice.
  let lastRow = min(row + 1u, params.height - 1u);
  let lastColumn = min(column + 1u, params.width - 1u);
  let top = (first + row) * params.width;
  let bottom = (first + lastRow) * params.width;
  y[at] = max(
    max(x[(top + column) * params.channels + c], x[(top + lastColumn) * params.channels + c]),
    max(x[(bottom + column) * params.channels + c], x[(bottom + lastColumn) * params.channels + c]),
  );
}

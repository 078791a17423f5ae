// front[r, third + k, c] = 0.5 * front[r, third + k, c] + 0.5 * face[3 r + 1, 3 k + 1, c]   for r, k < third = side / 3
// In every half and domain of x: the face view, reduced three times (bilinear without aligned corners, which at this factor picks the
// middle pixel), is mixed into the middle third of the top of the front view. The pixels read and the pixels written are of different
// views, so the work can be done in place. One thread an element.
alias Element = f32; // or vec4 of f32 or f16; count and channels in vectors
alias Values = f32;  // as many f32
override workgroupSize: u32 = 64;
override blockedX: bool = false; // x lies in blocks (blocks.wgsl), elements are vectors of four
struct Params { count: u32, side: u32, third: u32, channels: u32, views: u32, domains: u32, frontView: u32, faceView: u32 }
@group(0) @binding(0) var<storage, read_write> x: array<Element>;   // [halves, views, domains, side, side, channels]
@group(0) @binding(1) var<uniform> params: Params;

// include "dense/blocks"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (index >= params.count) { return; }
  let c = index % params.channels;
  let k = index / params.channels % params.third;
  let r = index / (params.channels * params.third) % params.third;
  let image = index / (params.channels * params.third * params.third);
  let half = image / params.domains;
  let domain = image % params.domains;
  let front = (half * params.views + params.frontView) * params.domains + domain;
  let face = (half * params.views + params.faceView) * params.domains + domain;
  let toRow = (front * params.side + r) * params.side + params.third + k;
  let sourceRow = (face * params.side + 3u * r + 1u) * params.side + 3u * k + 1u;
  let to = placeInBlocks(blockedX, toRow, c, params.channels, 8u);
  let source = placeInBlocks(blockedX, sourceRow, c, params.channels, 8u);
  x[to] = Element(0.5 * Values(x[to]) + 0.5 * Values(x[source]));
}

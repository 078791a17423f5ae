// y[child, n, corner, c] = sum over the taps of a child whose neighbour stands in that corner's voxel of weight[n, tap, c]
// Corners as in octantParents. Along an axis the neighbours -1, 0, 1 of child 0 stand in the voxels 0, 1, 1 of its corners, those of
// child 1 in 0, 0, 1. Sums in f32. One invocation an element.
alias Element = f32;
override workgroupSize: u32 = 64;
struct Params { elements: u32, ofChild: u32, firstChild: u32, childStride: u32, channels: u32 } // of the children that y shows
@group(0) @binding(0) var<storage, read> weight: array<Element>;        // [columns, 27, channels]
@group(0) @binding(1) var<storage, read_write> y: array<Element>;       // [children, childStride], of which [columns, 8, channels] are used
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.elements) { return; }
  let shown = index / params.ofChild;
  let child = params.firstChild + shown;
  let at = index - shown * params.ofChild;
  let channel = at % params.channels;
  let corner = at / params.channels % 8u;
  let column = at / params.channels / 8u;
  let bits = vec3u(2u, 1u, 0u);
  let d = (vec3u(child) >> bits) & vec3u(1u);
  let a = (vec3u(corner) >> bits) & vec3u(1u);
  let first = a * (1u + d);                       // of the taps 0, 1, 2 along each axis
  let end = select(1u + d, vec3u(3u), a == vec3u(1u));
  var sum = 0.0;
  for (var x = first.x; x < end.x; x++) {
    for (var y = first.y; y < end.y; y++) {
      for (var z = first.z; z < end.z; z++) { sum += f32(weight[(column * 27u + x * 9u + y * 3u + z) * params.channels + channel]); }
    }
  }
  y[shown * params.childStride + at] = Element(sum);
}

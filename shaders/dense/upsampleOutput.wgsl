// y[2 x 2 pixels of a row, n] = 4 A^T m[:, row, n] A + bias[n]; rows of A^T are (1 1 0), (0 1 -1): the end of upsampleInput.wgsl. A thread:
// four columns of one pixel before the doubling; sums in f32.
alias Product = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
override hasBias: bool = false;
struct Params {
  width: u32, vectors: u32,                  // pixels of a row before the doubling; columns / 4
  threads: u32,
  batchRows: u32,
}
@group(0) @binding(0) var<storage, read> m: array<vec4<Product>>;            // [9, batchRows, columns]
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;                 // [columns]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<Output>>;       // [images, 2 height, 2 width, columns]
@group(0) @binding(3) var<uniform> params: Params;

struct Pair { a: vec4f, b: vec4f }

// One row of the 3 x 3 products times A.
fn productRow(at: u32) -> Pair {
  let batch = params.batchRows * params.vectors;
  let middle = vec4f(m[at + batch]);
  return Pair(vec4f(m[at]) + middle, middle - vec4f(m[at + 2u * batch]));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.threads) { return; }
  let vector = thread % params.vectors;
  let column = thread / params.vectors % params.width;
  let row = thread / params.vectors / params.width; // of all images
  let three = 3u * params.batchRows * params.vectors;
  let above = productRow(thread);
  let middle = productRow(thread + three);
  let below = productRow(thread + 2u * three);
  var added = vec4f();
  if (hasBias) { added = bias[vector]; }
  let at = (row * 4u * params.width + column * 2u) * params.vectors + vector;
  let next = at + 2u * params.width * params.vectors;
  y[at] = vec4<Output>(4.0 * (above.a + middle.a) + added);
  y[at + params.vectors] = vec4<Output>(4.0 * (above.b + middle.b) + added);
  y[next] = vec4<Output>(4.0 * (middle.a - below.a) + added);
  y[next + params.vectors] = vec4<Output>(4.0 * (middle.b - below.b) + added);
}

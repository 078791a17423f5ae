// u[4 i + j, n, c] = (G w[n, :, :, c] G^T)[i, j]; rows of G are (1 0 0), (1 1 1)/2, (1 -1 1)/2, (0 0 1): the weights of F(2x2, 3x3), see
// winogradInput.wgsl. A thread: four channels of one column; sums in f32.
alias Weight = f32;
override workgroupSize: u32 = 64;
override blockedU: bool = false;                                             // u lies in blocks (blocks.wgsl)
struct Params { columns: u32, vectors: u32 }                                 // channels / 4
@group(0) @binding(0) var<storage, read> weight: array<vec4<Weight>>;        // [columns, 3, 3, channels]
@group(0) @binding(1) var<storage, read_write> u: array<vec4<Weight>>;       // [16, columns, channels]
@group(0) @binding(2) var<uniform> params: Params;

struct Row { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// One row of w times G^T.
fn weightRow(at: u32) -> Row {
  let w0 = vec4f(weight[at]);
  let w1 = vec4f(weight[at + params.vectors]);
  let w2 = vec4f(weight[at + 2u * params.vectors]);
  return Row(w0, (w0 + w2 + w1) * 0.5, (w0 + w2 - w1) * 0.5, w2);
}

fn store(at: u32, value: Row) {
  let batch = params.columns * params.vectors;
  u[at] = vec4<Weight>(value.a);
  u[at + batch] = vec4<Weight>(value.b);
  u[at + 2u * batch] = vec4<Weight>(value.c);
  u[at + 3u * batch] = vec4<Weight>(value.d);
}

// include "dense/blocks"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.columns * params.vectors) { return; }
  let first = thread / params.vectors * 9u * params.vectors + thread % params.vectors;
  let at = placeInBlocks(blockedU, thread / params.vectors, thread % params.vectors, params.vectors, 8u);
  let r0 = weightRow(first);
  let r1 = weightRow(first + 3u * params.vectors);
  let r2 = weightRow(first + 6u * params.vectors);
  let four = 4u * params.columns * params.vectors;
  store(at, r0);
  store(at + four, Row((r0.a + r2.a + r1.a) * 0.5, (r0.b + r2.b + r1.b) * 0.5, (r0.c + r2.c + r1.c) * 0.5, (r0.d + r2.d + r1.d) * 0.5));
  store(at + 2u * four, Row((r0.a + r2.a - r1.a) * 0.5, (r0.b + r2.b - r1.b) * 0.5, (r0.c + r2.c - r1.c) * 0.5, (r0.d + r2.d - r1.d) * 0.5));
  store(at + 3u * four, r2);
}

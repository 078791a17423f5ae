// u[3 i + j, n, c] = (G w[n, :, :, c] G^T)[i, j]; rows of G are (1 0 0), (1 1 1), (0 0 1): the weights for upsampleInput.wgsl. A thread: four
// channels of one column; sums in f32.
alias Weight = f32;
override workgroupSize: u32 = 64;
override blockedU: bool = false;                                             // u lies in blocks (blocks.wgsl)
struct Params { columns: u32, vectors: u32 }                                 // channels / 4
@group(0) @binding(0) var<storage, read> weight: array<vec4<Weight>>;        // [columns, 3, 3, channels]
@group(0) @binding(1) var<storage, read_write> u: array<vec4<Weight>>;       // [9, columns, channels]
@group(0) @binding(2) var<uniform> params: Params;

struct Row { a: vec4f, b: vec4f, c: vec4f }

// One row of w times G^T.
fn weightRow(at: u32) -> Row {
  let w0 = vec4f(weight[at]);
  let w2 = vec4f(weight[at + 2u * params.vectors]);
  return Row(w0, w0 + vec4f(weight[at + params.vectors]) + w2, w2);
}

fn store(at: u32, value: Row) {
  let batch = params.columns * params.vectors;
  u[at] = vec4<Weight>(value.a);
  u[at + batch] = vec4<Weight>(value.b);
  u[at + 2u * batch] = vec4<Weight>(value.c);
}

// include "dense/blocks"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.columns * params.vectors) { return; }
  let first = thread / params.vectors * 9u * params.vectors + thread % params.vectors;
  let r0 = weightRow(first);
  let r1 = weightRow(first + 3u * params.vectors);
  let r2 = weightRow(first + 6u * params.vectors);
  let three = 3u * params.columns * params.vectors;
  let at = placeInBlocks(blockedU, thread / params.vectors, thread % params.vectors, params.vectors, 8u);
  store(at, r0);
  store(at + three, Row(r0.a + r1.a + r2.a, r0.b + r1.b + r2.b, r0.c + r1.c + r2.c));
  store(at + 2u * three, r2);
}

// u[6 i + j, n, c] = t[i] t[j] (G w[n, :, :, c] G^T)[i, j]: the weights of F(4x4, 3x3), see winogradInput4.wgsl. Rows of G are (1 p p^2) / f'(p)
// at its points p, f(x) = x (x^2 - a^2)(x^2 - b^2), and (0 0 1); t = 1, for +-b 2, keeps the rows about as large as w. A thread: four channels
// of one column; sums in f32.
alias Weight = f32;
override workgroupSize: u32 = 64;
override blockedU: bool = false;                                             // u lies in blocks (blocks.wgsl)
struct Params { columns: u32, vectors: u32 }                                 // channels / 4
@group(0) @binding(0) var<storage, read> weight: array<vec4<Weight>>;        // [columns, 3, 3, channels]
@group(0) @binding(1) var<storage, read_write> u: array<vec4<Weight>>;       // [36, columns, channels]
@group(0) @binding(2) var<uniform> params: Params;

struct Row { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

// t G w.
fn transformed(w0: vec4f, w1: vec4f, w2: vec4f) -> Row {
  let evenA = (w0 + 0.5625 * w2) / -1.8984375;
  let oddA = 0.75 * w1 / -1.8984375;
  let evenB = (w0 + 2.25 * w2) / 3.796875;
  let oddB = 1.5 * w1 / 3.796875;
  return Row(w0 / 1.265625, evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, w2);
}

// One row of w times G^T.
fn weightRow(at: u32) -> Row {
  return transformed(vec4f(weight[at]), vec4f(weight[at + params.vectors]), vec4f(weight[at + 2u * params.vectors]));
}

// Column j of u: G times the column of the three rows.
fn store(at: u32, w0: vec4f, w1: vec4f, w2: vec4f) {
  let value = transformed(w0, w1, w2);
  let six = 6u * params.columns * params.vectors;
  u[at] = vec4<Weight>(value.a);
  u[at + six] = vec4<Weight>(value.b);
  u[at + 2u * six] = vec4<Weight>(value.c);
  u[at + 3u * six] = vec4<Weight>(value.d);
  u[at + 4u * six] = vec4<Weight>(value.e);
  u[at + 5u * six] = vec4<Weight>(value.f);
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
  let batch = params.columns * params.vectors;
  store(at, r0.a, r1.a, r2.a);
  store(at + batch, r0.b, r1.b, r2.b);
  store(at + 2u * batch, r0.c, r1.c, r2.c);
  store(at + 3u * batch, r0.d, r1.d, r2.d);
  store(at + 4u * batch, r0.e, r1.e, r2.e);
  store(at + 5u * batch, r0.f, r1.f, r2.f);
}

// y[2 x 2 pixels of a tile, n] = activation(4 A^T m[:, tile, n] A + bias[n] + rowBias[image, n]) + residual; rows of A^T are (1 1 1 0), (0 1 -1 -1):
// the end of F(2x2, 3x3), see winogradInput.wgsl. A thread: four columns of one tile; sums in f32.
alias Product = f32;
alias Output = f32;
alias Residual = f32;
alias Values = vec4f;
override workgroupSize: u32 = 64;
override activation: u32 = 0; // 0 none, 1 SiLU, 2 GELU (erf), 3 GELU (tanh), 4 ReLU
override hasBias: bool = false;
override hasRowBias: bool = false;
override hasResidual: bool = false;
struct Params {
  height: u32, width: u32, vectors: u32,     // of an image; columns / 4
  tilesY: u32, tilesX: u32,
  threads: u32,
  batchRows: u32,
  firstImage: u32,
  rowBiasImages: u32, rowBiasStride: u32, rowBiasColumn: u32, // images that share one row of rowBias
}
@group(0) @binding(0) var<storage, read> m: array<vec4<Product>>;            // [16, batchRows, columns]
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;                 // [columns]
@group(0) @binding(2) var<storage, read> rowBias: array<f32>;                // [rows, rowBiasStride]
@group(0) @binding(3) var<storage, read> residual: array<vec4<Residual>>;    // [images, height, width, columns]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<Output>>;       // [images, height, width, columns]
@group(0) @binding(5) var<uniform> params: Params;

struct Pair { a: vec4f, b: vec4f }

// include "dense/winogradStore"

// One row of the 4 x 4 products times A.
fn productRow(at: u32) -> Pair {
  let batch = params.batchRows * params.vectors;
  let p1 = vec4f(m[at + batch]);
  let p2 = vec4f(m[at + 2u * batch]);
  return Pair(vec4f(m[at]) + p1 + p2, p1 - p2 - vec4f(m[at + 3u * batch]));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.threads) { return; }
  let vector = thread % params.vectors;
  let tile = thread / params.vectors;
  let tileX = tile % params.tilesX;
  let tileY = tile / params.tilesX % params.tilesY;
  let image = tile / params.tilesX / params.tilesY;
  let four = 4u * params.batchRows * params.vectors;
  let r0 = productRow(thread);
  let r1 = productRow(thread + four);
  let r2 = productRow(thread + 2u * four);
  let r3 = productRow(thread + 3u * four);
  let added = addedTo(image, vector);
  store(image, tileY * 2u, tileX * 2u, vector, 4.0 * (r0.a + r1.a + r2.a) + added);
  store(image, tileY * 2u, tileX * 2u + 1u, vector, 4.0 * (r0.b + r1.b + r2.b) + added);
  store(image, tileY * 2u + 1u, tileX * 2u, vector, 4.0 * (r1.a - r2.a - r3.a) + added);
  store(image, tileY * 2u + 1u, tileX * 2u + 1u, vector, 4.0 * (r1.b - r2.b - r3.b) + added);
}

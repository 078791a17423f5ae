// v[3 i + j, row, c] = (B^T d B)[i, j] / 4, d = the 3 x 3 pixels of x around the row's pixel, zeros outside of the image; rows of B^T are
// (1 -1 0), (0 1 0), (0 1 -1). What is left of F(2x2, 3x3) (winogradInput.wgsl) where the picture has been doubled in both axes by nearest
// pixels: two of its four rows and columns of d are one pixel, so seven of sixteen products are 0.
//
// A thread: four channels of `strip` pixels below each other; neighbouring threads take neighbouring channels. Sums in f32.
// The quarter keeps v within the largest x, so that f16 holds it.
alias Input = f32;
alias Output = f32;
override workgroupSize: u32 = 64;
override blockedV: bool = false;             // v lies in blocks (blocks.wgsl)
struct Params {
  height: u32, width: u32, vectors: u32,     // of an image; channels / 4
  strip: u32, strips: u32,                   // pixels of a thread; strips of a column
  threads: u32,
  batchRows: u32,                            // pixels of all images, padded
}
@group(0) @binding(0) var<storage, read> x: array<vec4<Input>>;              // [images, height, width, channels]
@group(0) @binding(1) var<storage, read_write> v: array<vec4<Output>>;       // [9, batchRows, channels]
@group(0) @binding(2) var<uniform> params: Params;

struct Row { a: vec4f, b: vec4f, c: vec4f }

// One row of pixels times B.
fn pixelRow(image: u32, row: i32, column: u32, vector: u32) -> Row {
  if (row < 0 || row >= i32(params.height)) { return Row(); }
  let at = ((image * params.height + u32(row)) * params.width + column) * params.vectors + vector;
  let middle = vec4f(x[at]);
  var before = vec4f();
  var after = vec4f();
  if (column > 0u) { before = vec4f(x[at - params.vectors]); }
  if (column + 1u < params.width) { after = vec4f(x[at + params.vectors]); }
  return Row(before - middle, middle, middle - after);
}

fn store(at: u32, value: Row) {
  let batch = params.batchRows * params.vectors;
  v[at] = vec4<Output>(0.25 * value.a);
  v[at + batch] = vec4<Output>(0.25 * value.b);
  v[at + 2u * batch] = vec4<Output>(0.25 * value.c);
}

// include "dense/blocks"

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.threads) { return; }
  let vector = thread % params.vectors;
  let column = thread / params.vectors % params.width;
  let part = thread / params.vectors / params.width;
  let image = part / params.strips;
  let first = part % params.strips * params.strip;
  var above = pixelRow(image, i32(first) - 1, column, vector);
  var middle = pixelRow(image, i32(first), column, vector);
  let last = min(params.height, first + params.strip);
  for (var row = first; row < last; row++) {
    let below = pixelRow(image, i32(row) + 1, column, vector);
    let at = placeInBlocks(blockedV, (image * params.height + row) * params.width + column, vector, params.vectors, 8u);
    let three = 3u * params.batchRows * params.vectors;
    store(at, Row(above.a - middle.a, above.b - middle.b, above.c - middle.c));
    store(at + three, middle);
    store(at + 2u * three, Row(middle.a - below.a, middle.b - below.b, middle.c - below.c));
    above = middle;
    middle = below;
  }
}

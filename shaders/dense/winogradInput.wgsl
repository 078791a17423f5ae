// v[4 i + j, tile, c] = (B^T d B)[i, j] / 4, d = the tile's 4 x 4 pixels of f(x), zeros outside of the image. F(2x2, 3x3) of Lavin and Gray 2016,
// section 4.1: rows of B^T are (1 0 -1 0), (0 1 1 0), (0 -1 1 0), (0 1 0 -1); tiles lie 2 pixels apart, the first begins at (-1, -1).
// f: group norm and SiLU, see winogradPixel.wgsl.
//
// A thread: four channels of `strip` tiles below each other, so that every pixel row is read and normalised once a strip and column of
// tiles; neighbouring threads take neighbouring channels. Sums in f32. The quarter keeps v within the largest f(x), so that f16 holds it.
alias Input = f32;
alias Output = f32;
alias Values = vec4f;
// include "dense/winogradInputParams"
@group(0) @binding(0) var<storage, read> x: array<vec4<Input>>;              // [images, height, width, channels]
@group(0) @binding(1) var<storage, read> factors: array<vec4f>;              // [all images, 2, channels]
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;                 // [channels]
@group(0) @binding(3) var<storage, read_write> v: array<vec4<Output>>;       // [16, batchRows, channels]
@group(0) @binding(4) var<uniform> params: Params;

struct Row { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

// include "dense/winogradPixel"
// include "dense/blocks"

// One row of pixels times B.
fn pixelRow(image: u32, row: i32, column: i32, vector: u32, norm: Norm) -> Row {
  let inside = row >= 0 && row < i32(params.height);
  let base = (image * params.height + u32(clamp(row, 0, i32(params.height) - 1))) * params.width * params.vectors + vector;
  let p0 = pixel(base, inside, column, norm);
  let p1 = pixel(base, inside, column + 1, norm);
  let p2 = pixel(base, inside, column + 2, norm);
  let p3 = pixel(base, inside, column + 3, norm);
  return Row(p0 - p2, p1 + p2, p2 - p1, p1 - p3);
}

fn store(at: u32, value: Row) {
  let batch = params.batchRows * params.vectors;
  v[at] = vec4<Output>(0.25 * value.a);
  v[at + batch] = vec4<Output>(0.25 * value.b);
  v[at + 2u * batch] = vec4<Output>(0.25 * value.c);
  v[at + 3u * batch] = vec4<Output>(0.25 * value.d);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (group.x + group.y * groups.x) * workgroupSize + local;
  if (thread >= params.threads) { return; }
  let vector = thread % params.vectors;
  let tileX = thread / params.vectors % params.tilesX;
  let part = thread / params.vectors / params.tilesX;
  let image = part / params.strips;
  let firstTile = part % params.strips * params.strip;
  let norm = normOf(image, vector);
  let column = i32(tileX) * 2 - 1;
  var r0 = pixelRow(image, i32(firstTile) * 2 - 1, column, vector, norm);
  var r1 = pixelRow(image, i32(firstTile) * 2, column, vector, norm);
  let lastTile = min(params.tilesY, firstTile + params.strip);
  for (var tileY = firstTile; tileY < lastTile; tileY++) {
    let r2 = pixelRow(image, i32(tileY) * 2 + 1, column, vector, norm);
    let r3 = pixelRow(image, i32(tileY) * 2 + 2, column, vector, norm);
    let at = placeInBlocks(blockedV, (image * params.tilesY + tileY) * params.tilesX + tileX, vector, params.vectors, 8u);
    let four = 4u * params.batchRows * params.vectors;
    store(at, Row(r0.a - r2.a, r0.b - r2.b, r0.c - r2.c, r0.d - r2.d));
    store(at + four, Row(r1.a + r2.a, r1.b + r2.b, r1.c + r2.c, r1.d + r2.d));
    store(at + 2u * four, Row(r2.a - r1.a, r2.b - r1.b, r2.c - r1.c, r2.d - r1.d));
    store(at + 3u * four, Row(r1.a - r3.a, r1.b - r3.b, r1.c - r3.c, r1.d - r3.d));
    r0 = r2;
    r1 = r3;
  }
}

// One level of a texture's pyramid, and zeros for its gradient:
// level 0 is the texture; level l + 1 [y, x] = mean of level l over the box [y factorY .. (y + 1) factorY) x [x factorX .. (x + 1) factorX).
// One invocation per texel and channel. All levels lie in one buffer, one behind the other; a dispatch reads one and writes the next.
override workgroupSize: u32 = 64;
override isBase: bool = false;

struct Params {
  count: u32,         // 3 * texels of the level that is written
  offset: u32,        // its first value in the pyramid
  width: u32,         // its texels in a row
  sourceOffset: u32,  // first value of the level below, and its texels in a row
  sourceWidth: u32,
  factorX: u32,       // 1 or 2
  factorY: u32,
  share: f32,         // 1 / (factorX factorY)
}

@group(0) @binding(0) var<storage, read> image: array<f32>;                 // [height, width, 3], where isBase
@group(0) @binding(1) var<storage, read_write> pyramid: array<f32>;         // [texels of all levels, 3]
@group(0) @binding(2) var<storage, read_write> gradient: array<vec2<i32>>;  // [texels of all levels, 3]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * workgroupSize + id.x;
  if (index >= params.count) { return; }
  gradient[params.offset + index] = vec2<i32>(0);
  if (isBase) {
    pyramid[index] = image[index];
    return;
  }
  let texel = index / 3u;
  let channel = index - texel * 3u;
  let y = texel / params.width;
  let x = texel - y * params.width;
  var sum = 0.0;
  for (var dy = 0u; dy < params.factorY; dy++) {
    for (var dx = 0u; dx < params.factorX; dx++) {
      let source = (y * params.factorY + dy) * params.sourceWidth + x * params.factorX + dx;
      sum += pyramid[params.sourceOffset + source * 3u + channel];
    }
  }
  pyramid[params.offset + index] = sum * params.share;
}

// Four levels of a texture's pyramid at once, and zeros for their gradients: as texturePyramidLevel.wgsl four times, with the same sums.
// A workgroup of 8 x 8 invocations reads 16 x 16 texels and writes 8 x 8, 4 x 4, 2 x 2 and 1; both sides of what is read are multiples of 16.
// Where isBase it reads the texture, and writes it as level 0, too.
override isBase: bool = false;

struct Params {
  sourceOffset: u32,  // first value of the level that is read, and its texels in a row
  sourceWidth: u32,
  groupsAcross: u32,  // workgroups in a row
  groupCount: u32,
  offsets: vec4<u32>, // first values of the levels that are written
}

@group(0) @binding(0) var<storage, read> image: array<f32>;                 // [height, width, 3], where isBase
@group(0) @binding(1) var<storage, read_write> pyramid: array<f32>;         // [texels of all levels, 3]
@group(0) @binding(2) var<storage, read_write> gradient: array<vec2<i32>>;  // [texels of all levels, 3]
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> tile: array<vec3<f32>, 64>;

fn write(index: u32, color: vec3<f32>) {
  for (var channel = 0u; channel < 3u; channel++) {
    pyramid[index + channel] = color[channel];
    gradient[index + channel] = vec2<i32>(0);
  }
}

fn sourceTexel(position: vec2<u32>) -> vec3<f32> {
  let index = (position.y * params.sourceWidth + position.x) * 3u;
  if (isBase) {
    let color = vec3<f32>(image[index], image[index + 1u], image[index + 2u]);
    write(index, color);
    return color;
  }
  let at = params.sourceOffset + index;
  return vec3<f32>(pyramid[at], pyramid[at + 1u], pyramid[at + 2u]);
}

fn mean(a: vec3<f32>, b: vec3<f32>, c: vec3<f32>, d: vec3<f32>) -> vec3<f32> { return (((a + b) + c) + d) * 0.25; }

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * groups.x + id.x;
  if (group >= params.groupCount) { return; }
  let corner = vec2<u32>(group % params.groupsAcross, group / params.groupsAcross);
  let at = (corner * 8u + local.xy) * 2u;
  var color = mean(sourceTexel(at), sourceTexel(at + vec2(1u, 0u)), sourceTexel(at + vec2(0u, 1u)), sourceTexel(at + vec2(1u, 1u)));
  for (var level = 0u; level < 4u; level++) {
    let side = 8u >> level;
    let isWritten = all(local.xy < vec2(side));
    if (isWritten) {
      let position = corner * side + local.xy;
      write(params.offsets[level] + (position.y * (params.sourceWidth >> (level + 1u)) + position.x) * 3u, color);
      tile[lane] = color;
    }
    workgroupBarrier();
    let first = (local.y * 2u) * 8u + local.x * 2u;
    if (all(local.xy < vec2(side / 2u))) { color = mean(tile[first], tile[first + 1u], tile[first + 8u], tile[first + 9u]); }
    workgroupBarrier();
  }
}

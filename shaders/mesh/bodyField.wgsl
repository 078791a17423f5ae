// field[x, y, z] at the vertices of a grid over [-0.5, 0.5]^3: the largest of the two silhouettes' signed distances and of four slabs'
// (depth - own depth) * facing, negative inside. Views: front (-y), back (+y), left (-x), right (+x); rows run down with z.
// One invocation per vertex. Maps are sampled bilinearly between pixels' centres, the border's value beyond.
override workgroupSize: u32 = 64;

struct Params {
  resolution: u32,       // cubes per axis, R
  silhouetteSide: u32,   // S
  depthSide: u32,        // D
}

@group(0) @binding(0) var<storage, read> silhouettes: array<f32>;        // [2, S, S] front and back, left and right: distance, world units
@group(0) @binding(1) var<storage, read> depths: array<vec2<f32>>;       // [4, D, D] front, back (y), left, right (x); how far the surface faces the view, 0..1
@group(0) @binding(2) var<storage, read_write> field: array<f32>;        // [R + 1, R + 1, R + 1]
@group(0) @binding(3) var<uniform> params: Params;

fn silhouette(map: u32, u: f32, v: f32) -> f32 {
  let side = params.silhouetteSide;
  let last = f32(side - 1u);
  let at = clamp(vec2<f32>(u, v) * f32(side) - 0.5, vec2<f32>(0.0), vec2<f32>(last));
  let low = vec2<u32>(at);
  let high = min(low + 1u, vec2<u32>(side - 1u));
  let part = at - vec2<f32>(low);
  let first = map * side * side;
  return mix(
    mix(silhouettes[first + low.y * side + low.x], silhouettes[first + low.y * side + high.x], part.x),
    mix(silhouettes[first + high.y * side + low.x], silhouettes[first + high.y * side + high.x], part.x),
    part.y,
  );
}

fn depth(map: u32, u: f32, v: f32) -> vec2<f32> {
  let side = params.depthSide;
  let last = f32(side - 1u);
  let at = clamp(vec2<f32>(u, v) * f32(side) - 0.5, vec2<f32>(0.0), vec2<f32>(last));
  let low = vec2<u32>(at);
  let high = min(low + 1u, vec2<u32>(side - 1u));
  let part = at - vec2<f32>(low);
  let first = map * side * side;
  return mix(
    mix(depths[first + low.y * side + low.x], depths[first + low.y * side + high.x], part.x),
    mix(depths[first + high.y * side + low.x], depths[first + high.y * side + high.x], part.x),
    part.y,
  );
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let side = params.resolution + 1u;
  let vertex = (group.y * groups.x + group.x) * workgroupSize + local;
  if (vertex >= side * side * side) { return; }
  let z = vertex % side;
  let y = (vertex / side) % side;
  let x = vertex / (side * side);
  let scale = 1.0 / f32(params.resolution);
  let position = vec3<f32>(f32(x), f32(y), f32(z)) * scale;
  let v = 1.0 - position.z;
  var value = max(silhouette(0u, position.x, v), silhouette(1u, position.y, v));
  if (value < 4.0 * scale) {
    let world = position - 0.5;
    let front = depth(0u, position.x, v);
    let back = depth(1u, position.x, v);
    let left = depth(2u, position.y, v);
    let right = depth(3u, position.y, v);
    value = max(value, max((front.x - world.y) * front.y, (world.y - back.x) * back.y));
    value = max(value, max((left.x - world.x) * left.y, (world.x - right.x) * right.y));
  }
  field[vertex] = value;
}

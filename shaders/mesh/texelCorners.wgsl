// The four texels between whose middles a position of a texture lies (coordinates wrap around), and where between them it is.
struct Corners {
  texels: vec4<u32>, // above: left, right; below: left, right
  part: vec2<f32>,   // of the way from left to right, from above to below
}

fn cornersOf(level: vec4<u32>, position: vec2<f32>) -> Corners { // level: first texel, width, height
  let at = (position - floor(position)) * vec2<f32>(level.yz) - 0.5;
  let corner = floor(at);
  let first = vec2<u32>(vec2<i32>(corner) + vec2<i32>(level.yz)) % level.yz;
  let second = (first + 1u) % level.yz;
  let above = level.x + first.y * level.y;
  let below = level.x + second.y * level.y;
  return Corners(vec4<u32>(above + first.x, above + second.x, below + first.x, below + second.x), at - corner);
}

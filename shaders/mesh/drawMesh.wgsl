// Draws a textured or coloured triangle mesh: a render pass, so this file has two entry points, which share what runs between them.
//   colour = texture(uv) * factor * vertex colour, multiplied in linear light and written as sRGB
//   shading 0: the colour as it is; 1: lit from the camera's side; 2: the normal (x, z, -y) as 0.5 + 0.5 n, as stage 1's pictures have it
// Alpha is 1 where a sample is covered; the resolved picture is premultiplied.
struct Params {
  clip: mat4x4f,      // world (z up) to clip space, depth 0..1
  factor: vec4f,      // r, g, b linear; 4th: not 0 where back faces of the mesh come out as front facing (mirrored picture)
  toCamera: vec4f,    // unit vector; 4th unused
  light: vec4f,       // unit vector towards the light; 4th: shading
}
struct Varyings {
  @builtin(position) position: vec4f,
  @location(0) normal: vec3f,
  @location(1) uv: vec2f,
  @location(2) color: vec3f,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var picture: texture_2d<f32>;   // sRGB values, filtered as they are; row 0 at v = 1
@group(0) @binding(2) var lookup: sampler;

const ambient = 0.3;

fn toLinear(value: vec3f) -> vec3f {
  return select(pow((value + 0.055) / 1.055, vec3f(2.4)), value / 12.92, value <= vec3f(0.04045));
}

fn toSrgb(value: vec3f) -> vec3f {
  return select(1.055 * pow(value, vec3f(1.0 / 2.4)) - 0.055, value * 12.92, value <= vec3f(0.0031308));
}

@vertex
fn placeVertex(@location(0) position: vec3f, @location(1) normal: vec3f, @location(2) uv: vec2f, @location(3) color: vec3f) -> Varyings {
  return Varyings(params.clip * vec4f(position, 1.0), normal, vec2f(uv.x, 1.0 - uv.y), color);
}

@fragment
fn shadePixel(input: Varyings, @builtin(front_facing) isFront: bool) -> @location(0) vec4f {
  let texel = textureSample(picture, lookup, input.uv).rgb;
  let length = length(input.normal);
  let outward = select(params.toCamera.xyz, input.normal / length, length > 0.0);
  let normal = select(-outward, outward, isFront == (params.factor.w == 0.0));
  if (params.light.w == 2.0) { return vec4f(0.5 + 0.5 * vec3f(normal.x, normal.z, -normal.y), 1.0); }
  let linear = clamp(toLinear(texel) * params.factor.rgb * input.color, vec3f(0.0), vec3f(1.0));
  if (params.light.w == 0.0) { return vec4f(toSrgb(linear), 1.0); }
  return vec4f(toSrgb(linear * (ambient + (1.0 - ambient) * max(dot(normal, params.light.xyz), 0.0))), 1.0);
}

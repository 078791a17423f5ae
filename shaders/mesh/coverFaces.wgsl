// Rasterises the faces of a mesh in several views at once, in two passes of this one shader (so that both compute the same bits):
//   mark = 0: nearest[v, y, x] = max over the faces that cover the pixel's centre of t, as the bits of a positive float
//   mark = 1: seen[f] |= 1 << v where face f covers a pixel with that t
// A centre on an edge belongs to both its faces. Edge functions start at the vertex with the smaller index, so that they are the same in both
// faces of an edge and nothing shows through between them. Both sides of a face count. Faces with a vertex behind the eye are left out.
// One invocation per (face, stripe, view); it walks every `stripes`-th row of the face's bounding box.
override workgroupSize: u32 = 64;

struct Params {
  faces: u32,      // F
  vertices: u32,   // V
  views: u32,      // at most 32
  size: u32,
  stripes: u32,
  mark: u32,
}

@group(0) @binding(0) var<storage, read> screen: array<vec4<f32>>;                // [views, V, 4] x, y, t, visible
@group(0) @binding(1) var<storage, read> faceVertices: array<u32>;                // [F, 3]
@group(0) @binding(2) var<storage, read_write> nearest: array<atomic<u32>>;       // [views, size, size], 0 where nothing is
@group(0) @binding(3) var<storage, read_write> seen: array<atomic<u32>>;          // [F]
@group(0) @binding(4) var<uniform> params: Params;

// Twice the area of (a, b, pixel), computed the same way from either side of the edge.
fn edgeFunction(a: vec2<f32>, b: vec2<f32>, swapped: bool) -> f32 {
  let first = select(a, b, swapped);
  let second = select(b, a, swapped);
  let value = first.x * second.y - first.y * second.x;
  return select(value, -value, swapped);
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let face = id.x;
  let view = id.z;
  if (face >= params.faces || view >= params.views) { return; }
  let ia = faceVertices[face * 3u];
  let ib = faceVertices[face * 3u + 1u];
  let ic = faceVertices[face * 3u + 2u];
  let first = view * params.vertices;
  let a = screen[first + ia];
  let b = screen[first + ib];
  let c = screen[first + ic];
  if (a.w * b.w * c.w == 0.0) { return; }
  let limit = f32(params.size);
  let low = clamp(ceil(min(min(a.xy, b.xy), c.xy) - 0.5), vec2<f32>(0.0), vec2<f32>(limit));
  let high = clamp(floor(max(max(a.xy, b.xy), c.xy) - 0.5), vec2<f32>(-1.0), vec2<f32>(limit - 1.0));
  let lowest = min(min(a.z, b.z), c.z);
  let highest = max(max(a.z, b.z), c.z);
  let plane = view * params.size * params.size;
  for (var y = i32(low.y) + i32(id.y); y <= i32(high.y); y += i32(params.stripes)) {
    for (var x = i32(low.x); x <= i32(high.x); x++) {
      let centre = vec2<f32>(f32(x), f32(y)) + 0.5;
      let atA = edgeFunction(b.xy - centre, c.xy - centre, ib > ic);
      let atB = edgeFunction(c.xy - centre, a.xy - centre, ic > ia);
      let atC = edgeFunction(a.xy - centre, b.xy - centre, ia > ib);
      let outside = min(min(atA, atB), atC) < 0.0 && max(max(atA, atB), atC) > 0.0;
      let area = atA + atB + atC;
      if (outside || area == 0.0) { continue; }
      let t = clamp((a.z * atA + b.z * atB + c.z * atC) / area, lowest, highest);
      if (!(t >= 0.0 && t <= 2.0)) { continue; }
      let key = bitcast<u32>(t) + 1u; // above the 0 of an empty pixel
      let pixel = plane + u32(y) * params.size + u32(x);
      if (params.mark == 0u) {
        atomicMax(&nearest[pixel], key);
      } else if (key >= atomicLoad(&nearest[pixel])) {
        atomicOr(&seen[face], 1u << view);
        return;
      }
    }
  }
}

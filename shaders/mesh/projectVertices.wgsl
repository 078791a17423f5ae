// screen[v, i] = (x, y, t, visible) of vertex i in view v: pixels from the lower left corner of a size x size picture, t = 1 - z / w, which is
// 2 at the near plane and 0 at the far one and is linear over a triangle's pixels; visible = 1 where w > 0.
// One invocation per (view, vertex). The matrix rows are those of x, y, w - z and w.
override workgroupSize: u32 = 64;

struct Params {
  vertices: u32,   // V
  views: u32,
  size: u32,       // pixels per side
}

@group(0) @binding(0) var<storage, read> positions: array<f32>;              // [V, 3]
@group(0) @binding(1) var<storage, read> clipRows: array<vec4<f32>>;         // [views, 4, 4]
@group(0) @binding(2) var<storage, read_write> screen: array<vec4<f32>>;     // [views, V, 4]
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let vertex = id.x;
  let view = id.z;
  if (vertex >= params.vertices || view >= params.views) { return; }
  let position = vec4<f32>(positions[vertex * 3u], positions[vertex * 3u + 1u], positions[vertex * 3u + 2u], 1.0);
  let w = dot(clipRows[view * 4u + 3u], position);
  let inverse = 1.0 / max(w, 1e-20);
  let half = 0.5 * f32(params.size);
  screen[view * params.vertices + vertex] = vec4<f32>(
    dot(clipRows[view * 4u], position) * inverse * half + half,
    dot(clipRows[view * 4u + 1u], position) * inverse * half + half,
    dot(clipRows[view * 4u + 2u], position) * inverse,
    select(0.0, 1.0, w > 0.0),
  );
}

// packed[i] = r | g << 8 | b << 16 | a << 24, each min(max(255 v, 0), 255) with its fraction dropped, as upstream turns renders into bytes.
// One invocation a pixel.
override workgroupSize: u32 = 64;
struct Params { count: u32 } // pixels
@group(0) @binding(0) var<storage, read> color: array<vec4f>;        // [count] r, g, b, a
@group(0) @binding(1) var<storage, read_write> packed: array<u32>;   // [count]
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let pixel = id.x + id.y * groups.x * workgroupSize;
  if (pixel >= params.count) { return; }
  let bytes = vec4u(clamp(color[pixel] * 255.0, vec4f(0.0), vec4f(255.0)));
  packed[pixel] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

// Blends the Gaussians of every tile front to back: color = sum_i c_i a_i T_i + T background, T_i = prod_{j < i} (1 - a_j),
//   a = min(0.99, opacity * exp(power)), skipped where power > 0 or a < 1/255; a Gaussian that would bring T below 1e-4 ends the pixel
//   and is not blended. depth = sum_i z_i a_i T_i / (1 - T), 0 where nothing is. One workgroup a tile, one invocation a pixel; Gaussians
// come through workgroup memory, 256 at a time. Pixel centres stand at whole numbers.
struct Params { width: u32, height: u32, red: f32, green: f32, blue: f32 }
@group(0) @binding(0) var<storage, read> projected: array<vec4f>;     // [n, 3] x, y, depth, opacity | conic xx, xy, yy, radius | r, g, b, 0
@group(0) @binding(1) var<storage, read> members: array<u32>;         // [pairs] Gaussians, by tile, nearest first
@group(0) @binding(2) var<storage, read> starts: array<u32>;          // [tiles + 1]
@group(0) @binding(3) var<storage, read_write> color: array<vec4f>;   // [height, width] r, g, b over the background, alpha = 1 - T
@group(0) @binding(4) var<storage, read_write> depth: array<f32>;     // [height, width]
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> centers: array<vec4f, 256>;
var<workgroup> conics: array<vec4f, 256>;
var<workgroup> colors: array<vec4f, 256>;
var<workgroup> unfinished: atomic<u32>; // pixels of the tile
var<workgroup> goOn: u32;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(num_workgroups) tiles: vec3u, @builtin(global_invocation_id) pixel: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let number = tile.x + tile.y * tiles.x;
  let end = starts[number + 1u];
  let place = vec2f(pixel.xy);
  var live = pixel.x < params.width && pixel.y < params.height;
  if (local == 0u) { atomicStore(&unfinished, 0u); }
  workgroupBarrier();
  if (live) { atomicAdd(&unfinished, 1u); }
  var sum = vec3f(0.0);
  var depthSum = 0.0;
  var transmittance = 1.0;
  for (var first = starts[number]; ; first += 256u) {
    workgroupBarrier();
    if (local == 0u) { goOn = select(0u, 1u, first < end && atomicLoad(&unfinished) > 0u); }
    if (workgroupUniformLoad(&goOn) == 0u) { break; }
    if (first + local < end) {
      let gaussian = members[first + local] * 3u;
      centers[local] = projected[gaussian];
      conics[local] = projected[gaussian + 1u];
      colors[local] = projected[gaussian + 2u];
    }
    workgroupBarrier();
    if (live) {
      let count = min(256u, end - first);
      for (var i = 0u; i < count; i++) {
        let center = centers[i];
        let conic = conics[i];
        let d = center.xy - place;
        let power = -0.5 * (conic.x * d.x * d.x + conic.z * d.y * d.y) - conic.y * d.x * d.y;
        if (power > 0.0) { continue; }
        let alpha = min(0.99, center.w * exp(power));
        if (alpha < 1.0 / 255.0) { continue; }
        let behind = transmittance * (1.0 - alpha);
        if (behind < 1e-4) {
          live = false;
          atomicSub(&unfinished, 1u);
          break;
        }
        let weight = alpha * transmittance;
        sum += weight * colors[i].xyz;
        depthSum += weight * center.z;
        transmittance = behind;
      }
    }
  }
  if (pixel.x >= params.width || pixel.y >= params.height) { return; }
  let index = pixel.x + pixel.y * params.width;
  let alpha = 1.0 - transmittance;
  color[index] = vec4f(sum + transmittance * vec3f(params.red, params.green, params.blue), alpha);
  depth[index] = select(0.0, depthSum / alpha, alpha > 0.0);
}

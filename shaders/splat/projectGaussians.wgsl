// A Gaussian seen by a pinhole camera: its centre and covariance in pixels, its opacity, and the 16 x 16 tiles it may touch. One invocation
// a Gaussian. With t = view * position, T = J W (J the Jacobian of the projection at t) and L = rotation * diag(scale):
//   covariance = (T L)(T L)^T + kernelSize on the diagonal (EWA splatting, Zwicker et al. 2001); the opacity is multiplied by
//   sqrt(det before / det after), the 2D filter of Mip-Splatting (Yu et al. 2024, eq. 10)
//   radius = ceil(3 sqrt(larger eigenvalue)); pixel centres stand at whole numbers
// Thresholds as upstream's rasteriser has them: reference/stage2/ARCHITECTURE.md section 9.
override workgroupSize: u32 = 64;
struct Params {
  count: u32,        // Gaussians
  width: u32, height: u32, // pixels
  kernelSize: f32,   // pixels^2
}
@group(0) @binding(0) var<storage, read> gaussians: array<f32>;           // [count, 14] position, colour, scale, rotation, opacity
@group(0) @binding(1) var<storage, read> camera: array<f32>;              // [16] world to camera 3 x 4; fx, fy, cx, cy in image sides
@group(0) @binding(2) var<storage, read_write> projected: array<vec4f>;   // [count, 3] x, y, depth, opacity | conic xx, xy, yy, radius | r, g, b, 0
@group(0) @binding(3) var<storage, read_write> rectangles: array<vec4u>;  // [count] first and past-the-last tile: x0, y0, x1, y1
@group(0) @binding(4) var<storage, read_write> tileCounts: array<u32>;    // [count] tiles it is drawn in; 0: nowhere
@group(0) @binding(5) var<storage, read_write> depthKeys: array<u32>;     // [count] grows with the depth
@group(0) @binding(6) var<uniform> params: Params;

const harmonic = 0.28209479177387814; // the constant spherical harmonic
const nearest = 0.2;                  // depth up to which nothing is drawn
const smallestDeterminant = 1e-6;

fn isFinite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u; }

fn tile(v: f32, limit: f32) -> u32 { return u32(clamp(trunc(v), 0.0, limit)); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * workgroupSize;
  if (index >= params.count) { return; }
  let at = index * 14u;
  let size = vec2f(f32(params.width), f32(params.height));
  let focal = vec2f(camera[12], camera[13]);
  let center = vec2f(camera[14], camera[15]);
  let row0 = vec3f(camera[0], camera[1], camera[2]);
  let row1 = vec3f(camera[4], camera[5], camera[6]);
  let row2 = vec3f(camera[8], camera[9], camera[10]);
  let position = vec3f(gaussians[at], gaussians[at + 1u], gaussians[at + 2u]);
  let t = vec3f(dot(row0, position) + camera[3], dot(row1, position) + camera[7], dot(row2, position) + camera[11]);
  let scale = vec3f(gaussians[at + 6u], gaussians[at + 7u], gaussians[at + 8u]);
  let w = gaussians[at + 9u];
  let q = vec3f(gaussians[at + 10u], gaussians[at + 11u], gaussians[at + 12u]);
  let axis0 = vec3f(1.0 - 2.0 * (q.y * q.y + q.z * q.z), 2.0 * (q.x * q.y + w * q.z), 2.0 * (q.x * q.z - w * q.y)) * scale.x;
  let axis1 = vec3f(2.0 * (q.x * q.y - w * q.z), 1.0 - 2.0 * (q.x * q.x + q.z * q.z), 2.0 * (q.y * q.z + w * q.x)) * scale.y;
  let axis2 = vec3f(2.0 * (q.x * q.z + w * q.y), 2.0 * (q.y * q.z - w * q.x), 1.0 - 2.0 * (q.x * q.x + q.y * q.y)) * scale.z;

  // Outside 1.3 times the field of view the Jacobian is taken at its border.
  let border = 0.65 / focal;
  let inside = clamp(t.xy / t.z, -border, border);
  let perPixel = size * focal / t.z;
  let toX = perPixel.x * (row0 - inside.x * row2);
  let toY = perPixel.y * (row1 - inside.y * row2);
  let u = vec3f(dot(toX, axis0), dot(toX, axis1), dot(toX, axis2));
  let v = vec3f(dot(toY, axis0), dot(toY, axis1), dot(toY, axis2));
  let mixed = dot(u, v);
  let normal = cross(u, v);
  let before = dot(normal, normal); // = (u u)(v v) - (u v)^2, without its cancellation
  let xx = dot(u, u) + params.kernelSize;
  let yy = dot(v, v) + params.kernelSize;
  let determinant = xx * yy - mixed * mixed;
  var filterOpacity = 0.0;
  if (before > smallestDeterminant && determinant > smallestDeterminant) {
    filterOpacity = sqrt(before / (determinant + 1e-6) + 1e-6);
  }
  let opacity = gaussians[at + 13u] * filterOpacity;
  let middle = 0.5 * (xx + yy);
  let radius = ceil(3.0 * sqrt(middle + sqrt(max(0.1, middle * middle - determinant))));
  let ndc = (2.0 * focal * t.xy + (2.0 * center - 1.0) * t.z) / (t.z + 1e-7);
  let pixel = ((ndc + 1.0) * size - 1.0) * 0.5;

  let grid = ceil(size / 16.0);
  let valid = t.z > nearest && isFinite(pixel.x) && isFinite(pixel.y) && isFinite(radius) && isFinite(opacity) && determinant != 0.0;
  var rectangle = vec4u(0u);
  if (valid) {
    rectangle = vec4u(
      tile((pixel.x - radius) / 16.0, grid.x), tile((pixel.y - radius) / 16.0, grid.y),
      tile((pixel.x + radius + 15.0) / 16.0, grid.x), tile((pixel.y + radius + 15.0) / 16.0, grid.y));
  }
  let tiles = (rectangle.z - rectangle.x) * (rectangle.w - rectangle.y);
  let color = vec3f(gaussians[at + 3u], gaussians[at + 4u], gaussians[at + 5u]);
  projected[index * 3u] = vec4f(pixel, t.z, opacity);
  projected[index * 3u + 1u] = vec4f(yy, -mixed, xx, 0.0) / determinant + vec4f(0.0, 0.0, 0.0, select(0.0, radius, tiles > 0u));
  projected[index * 3u + 2u] = vec4f(max(harmonic * color + 0.5, vec3f(0.0)), 0.0);
  rectangles[index] = rectangle;
  // No pixel of a Gaussian with less than 1/255 at its centre reaches the 1/255 from which pixels count.
  let drawn = tiles > 0u && opacity >= 1.0 / 255.0;
  tileCounts[index] = select(0u, tiles, drawn);
  depthKeys[index] = select(0xffffffffu, bitcast<u32>(t.z), drawn); // positive floats are ordered as their bits
}

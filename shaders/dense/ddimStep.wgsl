// One step of DDIM, in place: x0 and the noise e follow from the state x and the network's (guided) output m, then
//   x[i] <- sqrtAlphaPrevious * x0 + direction * e + sigma * noise
// prediction 0 (noise): e = m, x0 = (x - sqrtBeta e) / sqrtAlpha      1 (velocity): x0 = sqrtAlpha x - sqrtBeta m, e = sqrtAlpha m + sqrtBeta x
// prediction 2 (sample): x0 = m, e = (x - sqrtAlpha x0) / sqrtBeta. Clipping changes x0 alone.
alias Prediction = f32;
override workgroupSize: u32 = 64;
override prediction: u32 = 0;
override guided: bool = false;
override noisy: bool = false;
override clipped: bool = false;
struct Params {
  elements: u32,
  conditionalStart: u32, unconditionalStart: u32, noiseStart: u32, // elements
  guidance: f32,
  sqrtAlpha: f32, sqrtBeta: f32, sqrtAlphaPrevious: f32, direction: f32, sigma: f32,
  clipRange: f32,
}
@group(0) @binding(0) var<storage, read_write> x: array<f32>;                    // [elements]
@group(0) @binding(1) var<storage, read> conditional: array<Prediction>;         // [>= conditionalStart + elements]
@group(0) @binding(2) var<storage, read> unconditional: array<Prediction>;       // [>= unconditionalStart + elements]
@group(0) @binding(3) var<storage, read> noise: array<f32>;                      // [>= noiseStart + elements]
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.x + group.y * groups.x) * workgroupSize + thread;
  if (i >= params.elements) { return; }
  let sample = x[i];
  var m = f32(conditional[params.conditionalStart + i]);
  if (guided) {
    let u = f32(unconditional[params.unconditionalStart + i]);
    m = u + params.guidance * (m - u);
  }
  var clean = m;
  var error = m;
  if (prediction == 0u) {
    clean = (sample - params.sqrtBeta * m) / params.sqrtAlpha;
  } else if (prediction == 1u) {
    clean = params.sqrtAlpha * sample - params.sqrtBeta * m;
    error = params.sqrtAlpha * m + params.sqrtBeta * sample;
  } else {
    error = (sample - params.sqrtAlpha * m) / params.sqrtBeta;
  }
  if (clipped) { clean = clamp(clean, -params.clipRange, params.clipRange); }
  var next = params.sqrtAlphaPrevious * clean + params.direction * error;
  if (noisy) { next = next + params.sigma * noise[params.noiseStart + i]; }
  x[i] = next;
}

// The same function as layerNorm.wgsl, four columns at a time, see layerNormRow.wgsl. Few threads a row: each reads what all of a row wrote into
// workgroup memory. On an H200 (184,320 x 320 and 8,192 x 1,024 f16, vectors a thread: microseconds): 5: 77, 3: 113, 2: 244; 8: 29, 4: 42, 2: 88.
// 128 threads a workgroup are 3 to 15 % faster than 256.
// include "dense/layerNormRow"

var<workgroup> sums: array<f32, 2u * workgroupSize>; // of each call

fn sumOfRow(value: f32, thread: u32, call: u32) -> f32 {
  sums[call * workgroupSize + thread] = value;
  workgroupBarrier();
  let first = call * workgroupSize + thread - thread % threadsPerRow;
  var sum = 0.0;
  for (var i = 0u; i < threadsPerRow; i++) { sum += sums[first + i]; }
  return sum;
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  normaliseRow((group.x + group.y * groups.x) * (workgroupSize / threadsPerRow) + thread / threadsPerRow, thread % threadsPerRow, thread);
}

// The same function as layerNorm.wgsl, four columns at a time, see layerNormRow.wgsl, on subgroups of one size: a row is a subgroup's, and needs
// neither workgroup memory nor barriers. On an H200, microseconds (layerNormVectors): 184,320 x 320 f16 62.1 (62.1), 46,080 x 640 32.4 (37.7),
// 11,520 x 1,280 19.5 (21.4), 8,192 x 1,024 10.0 (11.8); by subgroupShuffleXor 34.2, 20.3 and 11.0 of the last three.
// include "dense/layerNormRow"

fn sumOfRow(value: f32, thread: u32, call: u32) -> f32 { return subgroupAdd(value); }

@compute @workgroup_size(workgroupSize)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  normaliseRow((group.x + group.y * groups.x) * (workgroupSize / threadsPerRow) + thread / threadsPerRow, thread % threadsPerRow, thread);
}
